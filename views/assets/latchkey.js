// Comfort only: every page works without this file.

// A form is sent once. The button is not disabled, which would drop its name and value; a return by the back button, or
// an answer that leads out of the browser (an app on this device), must not find it locked.
const sent = new WeakSet();
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (sent.has(form)) return event.preventDefault();
  sent.add(form);
  const button = event.submitter;
  button?.setAttribute('data-busy', '');
  const release = () => {
    sent.delete(form);
    button?.removeAttribute('data-busy');
  };
  setTimeout(release, 5000);
  addEventListener('pageshow', release, { once: true });
});

// Its place is kept (latchkey.css), so that nothing moves when it appears.
for (const button of document.querySelectorAll('[data-copy] + .copy')) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent.trim());
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

// The back button can restore a page that may not be stored: without its secrets.
addEventListener('pagehide', () => {
  for (const secret of document.querySelectorAll('.leaves code')) secret.textContent = '';
});

// What is typed can be seen; it is hidden again before the form is sent, so that browsers take it for a password.
for (const button of document.querySelectorAll('.secret > .reveal')) {
  const input = button.previousElementSibling;
  const show = (isShown) => {
    input.type = isShown ? 'text' : 'password';
    for (const [n, words] of [...button.children].entries()) words.hidden = isShown ? n === 0 : n === 1;
  };
  button.hidden = false;
  button.addEventListener('click', () => show(input.type === 'password'));
  input.form.addEventListener('submit', () => show(false));
}

// The server does not know the reader's zone; it writes UTC.
for (const time of document.querySelectorAll('time[title]')) {
  const local = new Date(time.dateTime).toLocaleString(document.documentElement.lang === 'en' ? 'en-GB' : document.documentElement.lang, { dateStyle: 'long', timeStyle: 'short' });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  time.title = `${local} (${zone})`;
}
