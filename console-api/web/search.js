// The search form: a choice searches at once.
export function search() {
  for (const choice of document.querySelectorAll('select[data-submit]')) {
    choice.addEventListener('change', () => choice.form.requestSubmit());
  }
  for (const form of document.querySelectorAll('form.search')) {
    // An address without what was not filled in is one to pass on.
    form.addEventListener('formdata', (event) => {
      for (const [name, value] of [...event.formData]) {
        if (value.trim() === '') event.formData.delete(name); else event.formData.set(name, value.trim());
      }
    });
  }
}
