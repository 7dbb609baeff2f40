// Keyboard shortcuts: / searches, j and k move, Enter opens, x selects, Esc closes, ? shows this list.
import { element, isTyping } from './dom.js';

const KEYS = [
  ['/', 'Search'], ['j  k', 'Next, previous row'], ['Enter', 'Open row'],
  ['x', 'Select row'], ['Shift x', 'Select rows up to here'], ['Esc', 'Close, select none'], ['?', 'Show shortcuts'],
];

export function keys() {
  for (const button of document.querySelectorAll('[data-help]')) {
    button.hidden = false;
    button.addEventListener('click', help);
  }
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (event.key === '/') {
      const field = document.querySelector('#q');
      if (field) { event.preventDefault(); field.focus(); field.select(); }
    } else if (event.key === 'j') move(1);
    else if (event.key === 'k') move(-1);
    else if (event.key === '?') help();
  });
}

function move(step) {
  const rows = [...document.querySelectorAll('#results [data-row]')];
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.classList.contains('current'));
  const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
  for (const row of rows) row.classList.toggle('current', row === next);
  const link = next.querySelector('a');
  link.focus();
  next.scrollIntoView({ block: 'nearest' });
  document.dispatchEvent(new CustomEvent('moved', { detail: link }));
}

function help() {
  const rows = KEYS.flatMap(([key, does]) => [element('dt', {}, element('kbd', {}, key)), element('dd', {}, does)]);
  const dialog = element('dialog', { class: 'help', 'aria-labelledby': 'help-title', close: () => dialog.remove() },
    element('h2', { id: 'help-title' }, 'Keyboard shortcuts'), element('dl', {}, ...rows),
    element('form', { method: 'dialog' }, element('button', {}, 'Close')));
  document.body.append(dialog);
  dialog.showModal();
}
