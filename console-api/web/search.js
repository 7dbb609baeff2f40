// Search form: a changed selection submits it.
export function search() {
  for (const choice of document.querySelectorAll('select[data-submit]')) {
    choice.addEventListener('change', () => choice.form.requestSubmit());
  }
  for (const form of document.querySelectorAll('form.search')) {
    // Empty fields are left out, so that the address stays short enough to share.
    form.addEventListener('formdata', (event) => {
      for (const [name, value] of [...event.formData]) {
        if (value.trim() === '') event.formData.delete(name); else event.formData.set(name, value.trim());
      }
    });
  }
}
