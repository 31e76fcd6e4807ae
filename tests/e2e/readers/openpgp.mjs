// Opens an OpenPGP copy with OpenPGP.js: node openpgp.mjs SECRET-KEY < armored message > plaintext,
// or checks a detached signature: node openpgp.mjs --verify PUBLIC-KEY SIGNATURE < text.
import { readFileSync } from "node:fs";
import * as openpgp from "openpgp";

const input = new Uint8Array(readFileSync(0));

async function open(secretKey) {
  const decryptionKeys = await openpgp.readPrivateKey({ armoredKey: readFileSync(secretKey, "utf8") });
  const message = await openpgp.readMessage({ armoredMessage: new TextDecoder().decode(input) });
  const { data } = await openpgp.decrypt({ message, decryptionKeys, format: "binary" });
  process.stdout.write(data);
}

async function verify(publicKey, signature) {
  const { signatures } = await openpgp.verify({
    message: await openpgp.createMessage({ binary: input }),
    signature: await openpgp.readSignature({ armoredSignature: readFileSync(signature, "utf8") }),
    verificationKeys: await openpgp.readKey({ binaryKey: readFileSync(publicKey) }),
  });
  if (signatures.length !== 1) throw new Error(`${signatures.length} signatures`);
  await signatures[0].verified;
}

const [first, ...rest] = process.argv.slice(2);
await (first === "--verify" ? verify(...rest) : open(first));
