// Completion of the search field: field names, then known values.
import { element } from './dom.js';

let schema = null;

export function complete() {
  const field = document.querySelector('#q');
  if (!field) return;
  const list = element('ul', { id: 'choices', role: 'listbox', 'aria-label': 'Completions', class: 'choices', hidden: true });
  field.after(list);
  for (const [name, value] of Object.entries({ role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': 'choices' })) {
    field.setAttribute(name, value);
  }
  field.addEventListener('focus', () => { schema ??= fetch('/api/v1/attacks/schema').then((answer) => answer.json()); }, { once: true });
  field.addEventListener('input', offer);
  field.addEventListener('blur', hide);
  field.addEventListener('keydown', (event) => {
    const choices = [...list.children];
    const at = choices.findIndex((choice) => choice.ariaSelected === 'true');
    if (list.hidden) { if (event.key === 'ArrowDown') offer(); return; }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      choose(choices, (at + step + choices.length) % choices.length);
    } else if (event.key === 'Enter' && at >= 0 || event.key === 'Tab') {
      event.preventDefault();
      insert(choices[Math.max(at, 0)].dataset.text);
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      hide();
    }
  });

  function choose(choices, at) {
    choices.forEach((choice, index) => choice.setAttribute('aria-selected', String(index === at)));
    field.setAttribute('aria-activedescendant', choices[at].id);
    choices[at].scrollIntoView({ block: 'nearest' });
  }

  async function offer() {
    const known = await (schema ??= fetch('/api/v1/attacks/schema').then((answer) => answer.json()));
    const choices = completions(known, word()).slice(0, 10);
    list.replaceChildren(...choices.map(([text, about], index) => element('li', {
      id: `choice-${index}`, role: 'option', 'aria-selected': 'false', 'data-text': text,
      mousedown: (event) => { event.preventDefault(); insert(text); },
    }, element('code', {}, text), element('span', {}, about))));
    list.hidden = choices.length === 0 || document.activeElement !== field;
    field.setAttribute('aria-expanded', String(!list.hidden));
    field.removeAttribute('aria-activedescendant');
  }

  /** The current word: from the last space outside quotes to the cursor. */
  function word() {
    return field.value.slice(0, field.selectionStart).match(/(?:[^\s"()]|"(?:[^"\\]|\\.)*"?)*$/)[0];
  }

  function insert(text) {
    const at = field.selectionStart;
    const start = at - word().length;
    const end = text.endsWith(':') ? '' : ' ';
    field.setRangeText(text + end, start, at, 'end');
    if (end) hide(); else offer();
  }

  function hide() {
    list.hidden = true;
    field.setAttribute('aria-expanded', 'false');
    field.removeAttribute('aria-activedescendant');
  }
}

function completions(known, word) {
  const [, not, rest] = word.match(/^([-!]?)(.*)$/s);
  const colon = rest.indexOf(':');
  if (colon < 0) {
    if (rest === '' && !not) return [];
    const starts = known.fields.filter((field) => [field.name, ...field.aliases].some((name) => name.startsWith(rest.toLowerCase())));
    return starts.map((field) => [`${not}${field.name}:`, field.about]);
  }
  const name = rest.slice(0, colon);
  const field = known.fields.find((field) => [field.name, ...field.aliases].includes(name));
  if (!field) return [];
  const prefix = rest.slice(colon + 1).toLowerCase();
  const seen = seenValues(field.name);
  const values = [...seen, ...field.values.map((value) => `${field.name}:${value}`).filter((text) => !seen.includes(text))];
  const matching = values.filter((text) => text.slice(field.name.length + 1).replace(/^"/, '').toLowerCase().startsWith(prefix.replace(/^"/, '')));
  if (matching.length === 0 && prefix === '') return [[`${not}${field.example.replace(/^-/, '')}`, field.about]];
  return matching.map((text) => [not + text, seen.includes(text) ? 'in this list' : '']);
}

/** The values that the charts and the list show. */
function seenValues(name) {
  const texts = [...document.querySelectorAll('[data-q]')].map((shown) => shown.dataset.q);
  return [...new Set(texts.filter((text) => text.startsWith(`${name}:`)))];
}
