// Theme switch, run before the first paint: the stored choice, otherwise the system theme.
{
  const chosen = localStorage.getItem('theme');
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
}
