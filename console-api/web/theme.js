// Before anything is drawn: the theme that was chosen here, if any; otherwise the system's holds.
{
  const chosen = localStorage.getItem('theme');
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
}
