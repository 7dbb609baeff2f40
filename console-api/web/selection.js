// Selected rows: x selects the current row, Shift+x the rows from the last one, Esc none.
import { announce, isTyping } from './dom.js';

const BOXES = '#results [data-row] input[name=id]';
let last = null;

export function selection() {
  if (!document.querySelector('#selection')) return;
  document.addEventListener('change', (event) => {
    if (!event.target.matches(BOXES)) return;
    last = event.target;
    count();
  });
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (event.key.toLowerCase() === 'x') toggle(event.shiftKey);
    else if (event.key === 'Escape' && !document.querySelector('.drawer, .menu, dialog[open], :popover-open')) clear();
  });
  document.addEventListener('listed', count);
  // A page that the browser shows again keeps its check boxes.
  addEventListener('pageshow', count);
}

function boxes() {
  return [...document.querySelectorAll(BOXES)];
}

function toggle(isRange) {
  const box = document.querySelector('#results .current')?.querySelector('input[name=id]');
  if (!box) return;
  const all = boxes();
  if (isRange && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const other of all.slice(from, to + 1)) other.checked = true;
  } else {
    box.checked = !box.checked;
  }
  last = box;
  count();
}

function clear() {
  for (const box of boxes()) box.checked = false;
  count();
}

function count() {
  const number = boxes().filter((box) => box.checked).length;
  const text = `${number} selected`;
  const shown = document.querySelector('#selection [data-count]');
  if (!shown || shown.textContent === text) return;
  shown.textContent = text;
  announce(text);
}
