// Live updates of the list: new attacks or requests are counted, and listed on request.
import { adopt, element, fetchPage } from './dom.js';

export function live() {
  const section = document.querySelector('[data-live]');
  if (!section) return;
  const waiting = document.querySelector('[data-waiting]');
  const fresh = new Set();
  const button = element('button', { type: 'button', class: 'new', hidden: true, click: () => refresh() });
  const state = section.querySelector('.dot');
  section.append(button);
  section.hidden = false;
  if (waiting) waiting.hidden = false;

  const stream = new EventSource(section.dataset.live);
  stream.addEventListener('open', () => { state.textContent = 'Live'; state.classList.remove('off'); });
  stream.addEventListener('error', () => { state.textContent = 'Not live'; state.classList.add('off'); });
  stream.addEventListener(section.dataset.event, (event) => {
    fresh.add(JSON.parse(event.data).id);
    if (waiting) return refresh();
    button.textContent = `${fresh.size} new`;
    button.hidden = false;
  });
  // An open stream would hold one of the browser's few connections.
  addEventListener('pagehide', () => stream.close());

  async function refresh() {
    if (waiting) return location.reload();
    // The address may be that of the open attack or hit.
    const { page, ok } = await fetchPage(document.querySelector('#results')?.dataset.list ?? location.href);
    const [list, now] = [adopt(page, '#results'), document.querySelector('#results')];
    if (!ok || !list || !now) return location.reload();
    for (const row of list.querySelectorAll('[data-row]')) {
      if (fresh.has(row.querySelector('a').pathname.split('/').pop())) row.classList.add('fresh');
    }
    const selected = new Set([...now.querySelectorAll('input[name=id]:checked')].map((box) => box.value));
    for (const box of list.querySelectorAll('input[name=id]')) box.checked = selected.has(box.value);
    now.replaceWith(list);
    fresh.clear();
    button.hidden = true;
    document.dispatchEvent(new CustomEvent('listed'));
  }
}
