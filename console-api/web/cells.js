// Menu of a value: the page of its actions, next to the value. Without scripts, a value is a link
// that narrows the search, and ⋯ leads to that page.
import { copying } from './copy.js';
import { adopt, element, fetchPage } from './dom.js';

let open = null;

export function cells() {
  document.addEventListener('click', (event) => {
    if (open && !event.target.closest('.menu')) close(false);
    const value = event.target.closest('a.cell[data-q], a.more');
    if (!value || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(value);
  });
  document.addEventListener('submit', (event) => {
    const form = event.target.closest('.menu form');
    if (!form) return;
    event.preventDefault();
    put(open.menu, fetchPage(form.action, { method: 'post', body: new URLSearchParams(new FormData(form, event.submitter)) }));
  });
  document.addEventListener('keydown', (event) => {
    if (!open) return;
    if (event.key === 'Escape') {
      event.stopImmediatePropagation();
      close(true);
      return;
    }
    const items = [...open.menu.querySelectorAll('a, button:not([hidden]), input')];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || items.length === 0) return;
    event.preventDefault();
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  }, true);
  addEventListener('scroll', () => open && hasMoved() && close(false), { passive: true, capture: true });
}

/** Whether the value is no longer next to its menu. */
function hasMoved() {
  return Math.abs(open.value.getBoundingClientRect().top - open.top) > 4;
}

/** The page of the actions on a value. */
function actionsOn(value) {
  if (!value.dataset.q) return value.href;
  const address = new URL(document.querySelector('#results').dataset.actions, location.origin);
  address.searchParams.set('on', value.dataset.q);
  return address.href;
}

function show(value) {
  const menu = element('div', { class: 'menu', role: 'dialog', 'aria-label': 'Actions', tabindex: '-1' }, 'Loading …');
  document.body.append(menu);
  open = { menu, value, top: value.getBoundingClientRect().top };
  place();
  menu.focus({ preventScroll: true });
  put(menu, fetchPage(actionsOn(value)));
}

async function put(menu, fetching) {
  menu.setAttribute('aria-busy', 'true');
  const fetched = await fetching.catch(() => null);
  const content = fetched && (adopt(fetched.page, '#actions') ?? adopt(fetched.page, 'main'));
  if (open?.menu !== menu) return;
  menu.removeAttribute('aria-busy');
  if (content) menu.replaceChildren(...content.childNodes); else menu.textContent = 'Cannot reach the console.';
  copying(menu);
  place();
  menu.querySelector('[role=status] button, a, button')?.focus({ preventScroll: true });
}

function place() {
  const { menu, value } = open;
  const rect = value.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(rect.left, innerWidth - menu.offsetWidth - 8))}px`;
  const below = rect.bottom + menu.offsetHeight + 8 < innerHeight;
  menu.style.top = `${Math.max(8, below ? rect.bottom + 2 : rect.top - menu.offsetHeight - 2)}px`;
}

function close(refocus) {
  open.menu.remove();
  if (refocus) open.value.focus();
  open = null;
}
