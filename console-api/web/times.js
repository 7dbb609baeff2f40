// Times in UTC, as the server writes them, or in the time zone of the browser; a switch remembers the choice.
const EXACT = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g;
/** The texts of a time that the server writes, and the parts of an ISO time that they are. */
const SHAPES = [
  [/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, (iso) => iso.slice(0, 19).replace('T', ' ')],
  [/^\d{4}-\d\d-\d\d$/, (iso) => iso.slice(0, 10)],
  [/^\d\d:\d\d:\d\d$/, (iso) => iso.slice(11, 19)],
  [/^\d\d:\d\d$/, (iso) => iso.slice(11, 16)],
];

const isLocal = () => localStorage.getItem('zone') === 'local';

export function times() {
  for (const button of document.querySelectorAll('[data-zone-switch]')) {
    button.hidden = false;
    button.textContent = isLocal() ? 'Local time' : 'UTC';
    button.addEventListener('click', () => {
      localStorage.setItem('zone', isLocal() ? 'utc' : 'local');
      location.reload();
    });
  }
  const range = document.querySelector('#range');
  if (isLocal()) {
    inZone(document.body);
    new MutationObserver((changes) => {
      for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === Node.ELEMENT_NODE) inZone(node);
    }).observe(document.body, { childList: true, subtree: true });
    for (const field of range?.querySelectorAll('[type=datetime-local]') ?? []) if (field.value) field.value = local(`${field.value}Z`).slice(0, 19);
  }
  range?.addEventListener('formdata', (event) => {
    for (const name of ['from', 'to']) {
      const value = event.formData.get(name);
      if (!value) event.formData.delete(name);
      else event.formData.set(name, new Date(isLocal() ? value : `${value}Z`).toISOString());
    }
  });
}

/** An ISO time in the zone of the browser, without its offset. */
function local(time) {
  const at = new Date(time);
  return new Date(at - at.getTimezoneOffset() * 60_000).toISOString();
}

function inZone(part) {
  for (const name of part.querySelectorAll('[data-zone]')) name.textContent = 'local time';
  for (const element of part.querySelectorAll('time[datetime]')) {
    const shown = element.querySelector('span') ?? element;
    const shape = SHAPES.find(([pattern]) => pattern.test(shown.textContent));
    if (shape) shown.textContent = shape[1](local(element.dateTime));
    else if (element.closest('.axis')) shown.textContent = local(element.dateTime).slice(5, 16).replace('T', ' ');
    if (element.title) element.title = `${local(element.dateTime).slice(0, 19).replace('T', ' ')} local time`;
    const after = element.nextSibling;
    if (after?.nodeType === Node.TEXT_NODE && after.data.startsWith(' UTC')) after.data = ` local time${after.data.slice(4)}`;
  }
  for (const bar of part.querySelectorAll('[data-tip]')) {
    bar.dataset.tip = bar.dataset.tip.replace(EXACT, (text) => local(`${text.replace(' ', 'T')}Z`).slice(0, 19).replace('T', ' ')).replace(' UTC', ' local time');
  }
  for (const legend of part.querySelectorAll('.legend span:last-child')) legend.textContent = legend.textContent.replace(', UTC', ', local time');
}
