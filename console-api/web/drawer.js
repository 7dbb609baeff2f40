// Drawer: an attack or a hit next to the list. Its address is that of its own page, so it can be shared and reloaded.
import { copying } from './copy.js';
import { adopt, element, fetchPage } from './dom.js';

const DRAWER_PATHS = /^\/(attacks|hits)\/[0-9a-f-]{36}$/;
let panel = null;
let list = null;

export function drawer() {
  if (!document.querySelector('#results')) return;
  list = { address: location.href, title: document.title };
  history.replaceState({ list: true }, '');
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest('a[href]') ?? rowLink(event);
    if (!link || !DRAWER_PATHS.test(link.pathname) || !link.closest('#results, .drawer')) return;
    event.preventDefault();
    visit(link.pathname + link.search);
  });
  document.addEventListener('submit', (event) => {
    const form = event.target.closest('.drawer form');
    if (!form || event.submitter?.hasAttribute('data-leave') || form.hasAttribute('data-leave')) return;
    event.preventDefault();
    send(form, event.submitter);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && panel && !document.querySelector('dialog[open]')) close();
  });
  document.addEventListener('moved', (event) => panel && visit(event.detail.pathname + event.detail.search, false));
  addEventListener('popstate', () => (DRAWER_PATHS.test(location.pathname) ? show(location.pathname + location.search) : hide()));
}

/** The link of a row that was clicked outside its links. */
function rowLink(event) {
  if (event.target.closest('a, button, input') || String(getSelection())) return null;
  return event.target.closest('#results [data-row]')?.querySelector('a[data-drawer]');
}

async function visit(address, focus = true) {
  history.pushState({}, '', address);
  await show(address, focus);
}

async function show(address, focus = true) {
  put(await fetchPage(address), focus);
}

async function send(form, submitter) {
  const data = new URLSearchParams(new FormData(form, submitter));
  const isGet = form.method === 'get';
  const address = new URL(submitter?.getAttribute('formaction') ?? form.getAttribute('action'), location.href);
  if (isGet) address.search = data;
  const answer = await fetchPage(address, isGet ? {} : { method: 'post', body: data });
  const { pathname, search } = new URL(answer.address);
  if (DRAWER_PATHS.test(pathname) && answer.ok) history.replaceState({}, '', pathname + search);
  put(answer, true);
}

function put({ page }, focus) {
  const content = adopt(page, 'main');
  if (!content) return;
  if (!panel) {
    const button = element('button', { type: 'button', class: 'close', 'aria-label': 'Close', click: close }, '×');
    panel = element('aside', { class: 'drawer', 'aria-label': 'Details', tabindex: '-1' }, button, element('div'));
    document.body.append(panel);
    document.body.classList.add('with-drawer');
  }
  panel.lastElementChild.replaceChildren(...content.childNodes);
  panel.scrollTop = 0;
  document.title = page.title;
  copying(panel);
  mark();
  if (focus) panel.focus({ preventScroll: true });
}

/** Highlights the open attack or request in the list. */
function mark() {
  for (const row of document.querySelectorAll('#results [data-row]')) {
    const path = row.querySelector('a').pathname;
    // The hit of an attack keeps the attack highlighted.
    if (path.split('/')[1] === location.pathname.split('/')[1]) row.classList.toggle('current', path === location.pathname);
  }
}

function close() {
  history.pushState({ list: true }, '', list.address);
  hide();
}

function hide() {
  panel?.remove();
  panel = null;
  document.body.classList.remove('with-drawer');
  document.title = list.title;
  document.querySelector('#results .current a')?.focus();
}
