// Passkeys. Every page works without this script, by code from an app.
"use strict";

(() => {
  const toBytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

  const forBrowser = (options) => {
    const made = { ...options, challenge: toBytes(options.challenge) };
    if (options.user) made.user = { ...options.user, id: toBytes(options.user.id) };
    for (const list of ["allowCredentials", "excludeCredentials"])
      if (options[list]) made[list] = options[list].map((one) => ({ ...one, id: toBytes(one.id) }));
    return made;
  };

  const forServer = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    return JSON.stringify({ id: toText(credential.rawId), type: credential.type, response });
  };

  const optionsOf = async (form) => {
    if (form.dataset.passkeyOptions) return JSON.parse(form.dataset.passkeyOptions);
    const answer = await fetch(form.dataset.passkeyUrl, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error("Postern did not answer");
    return answer.json();
  };

  // Passkeys belong to a name and to TLS: on a bare address or without TLS the browser would only refuse.
  const works = window.PublicKeyCredential && window.isSecureContext && !/^[\d.]+$|^\[/.test(location.hostname);
  for (const form of works ? document.querySelectorAll("form[data-passkey]") : []) {
    const button = form.querySelector("[data-passkey-go]");
    const state = form.querySelector("[data-passkey-state]");
    button.hidden = false;
    const block = form.querySelector("[data-passkey-block]");
    if (block) block.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        const publicKey = forBrowser(await optionsOf(form));
        const made = form.dataset.passkey === "create" ? await navigator.credentials.create({ publicKey })
          : await navigator.credentials.get({ publicKey });
        form.elements[form.dataset.passkeyField].value = forServer(made);
        form.submit();
      } catch {
        state.hidden = false;
        state.textContent = "The passkey was not used. Try again, or use another way.";
        button.disabled = false;
      }
    });
  }
})();
