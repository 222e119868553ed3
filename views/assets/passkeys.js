// Passkeys (WebAuthn Level 3). A form that offers one has a field for the browser's answer; without this script it offers a code.
const offered = [...document.querySelectorAll('[data-passkey]')];
const toAnswer = {
  get: (json) => ({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json) }),
  create: (json) => ({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json) }),
};
if (globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  for (const button of offered) {
    const json = JSON.parse(button.dataset.passkey);
    const verb = json.rp ? 'create' : 'get';
    const { form } = button;
    const box = button.closest('.passkey');
    const problem = box.querySelector('[data-passkey-problem]');
    let waiting = new AbortController();
    const ask = async (more) => {
      const credential = await navigator.credentials[verb]({ ...toAnswer[verb](json), ...more });
      form.elements.passkey.value = JSON.stringify(credential.toJSON());
      // What else the form asks for is not needed.
      if (verb === 'get') form.noValidate = true;
      form.requestSubmit();
    };
    box.hidden = false;
    button.addEventListener('click', async () => {
      if (verb === 'create' && !form.reportValidity()) return;
      // Only one request at a time is allowed.
      waiting.abort();
      waiting = new AbortController();
      problem.hidden = true;
      await ask({ signal: waiting.signal }).catch((error) => {
        if (error.name !== 'AbortError') problem.hidden = false;
      });
    });
    // Where the browser lists passkeys in the field for the username.
    if (verb === 'get' && form.querySelector('[autocomplete~="webauthn"]')) {
      PublicKeyCredential.isConditionalMediationAvailable?.().then((can) => {
        if (can) ask({ mediation: 'conditional', signal: waiting.signal }).catch(() => {});
      });
    }
  }
}
