// Charts over time: a label at the pointer, and a drag that selects a time range.
import { element } from './dom.js';

/** The shortest drag, in pixels: a shorter one is a click. */
const DRAG = 5;

export function chart() {
  const tip = element('div', { class: 'tip', hidden: true, 'aria-hidden': 'true' });
  document.body.append(tip);
  let drag = null;
  let wasDragged = false;

  document.addEventListener('pointerover', (event) => {
    const bar = event.target.closest?.('[data-tip]');
    tip.hidden = !bar;
    if (!bar) return;
    // The browser would show the same text later, and again.
    bar.querySelector('title')?.remove();
    tip.textContent = bar.dataset.tip;
    place(tip, event);
  });
  document.addEventListener('pointermove', (event) => {
    if (!tip.hidden) place(tip, event);
    if (drag) select(drag, event.clientX);
  });
  document.addEventListener('pointerdown', (event) => {
    const plot = event.target.closest?.('svg[data-chart]');
    wasDragged = false;
    if (!plot || event.button !== 0) return;
    const selection = element('div', { class: 'selection', hidden: true });
    plot.parentElement.append(selection);
    drag = { plot, selection, start: event.clientX };
  });
  document.addEventListener('pointerup', (event) => {
    if (!drag) return;
    const { plot, selection, start } = drag;
    drag = null;
    selection.remove();
    if (Math.abs(event.clientX - start) < DRAG) return;
    wasDragged = true;
    const [from, to] = [start, event.clientX].sort((a, b) => a - b).map((x) => timeAt(plot, x));
    const address = new URL(plot.dataset.chart, location.origin);
    address.searchParams.set('from', from);
    address.searchParams.set('to', to);
    location.assign(address);
  });
  document.addEventListener('pointercancel', () => { drag?.selection.remove(); drag = null; });
  document.addEventListener('dragstart', (event) => { if (drag) event.preventDefault(); });
  document.addEventListener('click', (event) => {
    if (!wasDragged) return;
    wasDragged = false;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}

function place(tip, { clientX, clientY }) {
  tip.style.left = `${Math.max(8, Math.min(clientX + 12, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(8, clientY - tip.offsetHeight - 12)}px`;
}

function select({ plot, selection, start }, x) {
  const box = plot.getBoundingClientRect();
  const [left, right] = [start, x].sort((a, b) => a - b).map((at) => Math.max(box.left, Math.min(at, box.right)));
  selection.hidden = right - left < DRAG;
  selection.style.left = `${left - plot.parentElement.getBoundingClientRect().left}px`;
  selection.style.width = `${right - left}px`;
}

/** The time at a position, to the second. */
function timeAt(plot, x) {
  const { left, width } = plot.getBoundingClientRect();
  const [from, to] = [Number(plot.dataset.from), Number(plot.dataset.to)];
  const share = Math.max(0, Math.min((x - left) / width, 1));
  return `${new Date(from + (to - from) * share).toISOString().slice(0, 19)}Z`;
}
