// Opens a pick-up message in the browser: asks for the key, decrypts the ciphertext (docs/pickup-format.md) and shows
// text, or HTML rebuilt of a few harmless elements. Without this script the same page opens it by a form.
"use strict";

(() => {
  const page = document.querySelector("[data-pickup]");
  if (!page) return;
  // A page that the browser kept while its person signed out must not come back.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  const print = page.querySelector("[data-pickup-print]");
  print.hidden = false;
  print.addEventListener("click", () => window.print());
  const form = page.querySelector("[data-pickup-open]");
  if (!form || !window.isSecureContext || !window.crypto || !crypto.subtle) return;

  const Header = 29, Tag = 16;
  const decrypt = async (keyBytes, file) => {
    const view = new DataView(file);
    const magic = new TextDecoder().decode(new Uint8Array(file, 0, 8));
    const recordSize = view.getUint32(9), plainSize = Number(view.getBigUint64(21));
    const records = Math.ceil(plainSize / recordSize);
    if (magic !== "PSTNPICK" || view.getUint8(8) !== 1 || file.byteLength !== Header + plainSize + records * Tag)
      throw new Error("not a message");
    const key = await crypto.subtle.importKey("raw", keyBytes, "AES-GCM", false, ["decrypt"]);
    const plain = new Uint8Array(plainSize);
    for (let record = 0, from = Header, to = 0; record < records; ++record) {
      const size = Math.min(recordSize, plainSize - to);
      const iv = new DataView(new ArrayBuffer(12));
      iv.setBigUint64(4, BigInt(record));
      const context = new Uint8Array(Header + 9);
      context.set(new Uint8Array(file, 0, Header));
      new DataView(context.buffer).setBigUint64(Header, BigInt(record));
      context[Header + 8] = record + 1 === records ? 1 : 0;
      const part = await crypto.subtle.decrypt(
        { name: "AES-GCM", iv: iv.buffer, additionalData: context, tagLength: 128 }, key,
        new Uint8Array(file, from, size + Tag));
      plain.set(new Uint8Array(part), to);
      from += size + Tag;
      to += size;
    }
    const length = new DataView(plain.buffer).getUint32(0);
    return JSON.parse(new TextDecoder().decode(plain.subarray(4, 4 + length)));
  };

  // Elements without any attribute; everything else is left out or becomes its text. The parsed document is inert: it
  // runs and loads nothing.
  const Kept = new Set(["P", "DIV", "SPAN", "B", "STRONG", "I", "EM", "U", "S", "SMALL", "SUB", "SUP", "BLOCKQUOTE", "PRE",
    "CODE", "UL", "OL", "LI", "DL", "DT", "DD", "H1", "H2", "H3", "H4", "H5", "TABLE", "THEAD", "TBODY", "TFOOT", "TR", "TD",
    "TH", "CAPTION", "BR", "HR"]);
  const Dropped = new Set(["SCRIPT", "STYLE", "TITLE", "TEMPLATE", "NOSCRIPT", "IFRAME", "OBJECT", "TEXTAREA", "SELECT", "SVG",
    "MATH", "HEAD"]);
  const copyInto = (target, source, depth) => {
    for (const node of source.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) target.append(node.data);
      if (node.nodeType !== Node.ELEMENT_NODE || depth > 200) continue;
      const name = node.nodeName.toUpperCase();
      if (Dropped.has(name) || node.namespaceURI !== "http://www.w3.org/1999/xhtml") continue;
      let into = target;
      if (Kept.has(name)) {
        into = document.createElement(name.length === 2 && name[0] === "H" && name !== "HR" ? "h4" : name);
        target.append(into);
      }
      copyInto(into, node, depth + 1);
      if (name === "A" && node.getAttribute("href")) target.append(" [" + node.getAttribute("href").slice(0, 500) + "]");
    }
  };

  const show = (card) => {
    const html = page.querySelector("[data-pickup-html]");
    const text = page.querySelector("[data-pickup-text]");
    if (card.html) {
      copyInto(html, new DOMParser().parseFromString(card.html, "text/html").body, 0);
      html.hidden = false;
      text.hidden = true;
    } else {
      text.textContent = card.text || "";
    }
    page.querySelector("[data-pickup-body]").hidden = false;
    form.hidden = true;
  };

  const state = page.querySelector("[data-pickup-state]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    state.hidden = false;
    state.textContent = "Opening …";
    try {
      const path = page.dataset.pickup;
      const content = await fetch(path + "/content");
      const released = await fetch(path + "/key", {
        method: "POST",
        body: new URLSearchParams({ csrf: form.elements.csrf.value }),
      });
      if (!content.ok || !released.ok) throw new Error("refused");
      const answer = await released.json();
      const key = Uint8Array.from(atob(answer.key), (c) => c.charCodeAt(0));
      show(await decrypt(key, await content.arrayBuffer()));
      state.hidden = true;
    } catch {
      form.submit();  // the server opens it, or says why it cannot be opened
    }
  });
})();
