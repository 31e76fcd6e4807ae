// Opens an S/MIME copy as PKI.js reads it: node pkijs.mjs PKCS8-KEY (DER) < EnvelopedData (DER) > plaintext,
// or checks a detached signature: node pkijs.mjs --verify SIGNED-DATA < text.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import {
  createDecipheriv, createHash, createPrivateKey, createPublicKey, diffieHellman, webcrypto,
} from "node:crypto";
import * as asn1js from "asn1js";
import * as pkijs from "pkijs";

pkijs.setEngine("node", new pkijs.CryptoEngine({ name: "node", crypto: webcrypto }));
const Curves = { prime256v1: "1.2.840.10045.3.1.7", secp384r1: "1.3.132.0.34", secp521r1: "1.3.132.0.35" };
const input = new Uint8Array(readFileSync(0));

function contentInfo(der) {
  const parsed = asn1js.fromBER(der);
  if (parsed.offset === -1) throw new Error("not DER: " + parsed.result.error);
  return new pkijs.ContentInfo({ schema: parsed.result });
}

const exactBuffer = (file) => new Uint8Array(readFileSync(file)).buffer;

// PKI.js 3.4 itself unwraps neither RSAES-PKCS1-v1_5 (WebCrypto has none) nor ECDH without user keying material (it
// hashes an empty entityUInfo, and so cannot read what the openssl command writes either): node's crypto does that
// here for ECDH, the openssl command for RSA (node refuses RSAES-PKCS1-v1_5 as well).
async function contentKey(recipient, file) {
  if (recipient instanceof pkijs.KeyTransRecipientInfo) {
    const command = ["pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", file];
    return execFileSync("openssl", command, { input: recipient.encryptedKey.valueBlock.valueHexView });
  }
  const privateKey = createPrivateKey({ key: readFileSync(file), format: "der", type: "pkcs8" });
  const originator = recipient.originator.value;
  originator.algorithm.algorithmParams ??= new asn1js.ObjectIdentifier({ value: Curves[privateKey.asymmetricKeyDetails.namedCurve] });
  const ephemeral = createPublicKey({ key: Buffer.from(originator.toSchema().toBER()), format: "der", type: "spki" });
  const keyInfo = recipient.keyEncryptionAlgorithm.algorithmParams; // the AlgorithmIdentifier of the key wrap
  const keyBits = new asn1js.OctetString({ valueHex: new Uint8Array([0, 0, 1, 0]).buffer });
  const tagged = new asn1js.Constructed({ idBlock: { tagClass: 3, tagNumber: 2 }, value: [keyBits] });
  const sharedInfo = Buffer.from(new asn1js.Sequence({ value: [keyInfo, tagged] }).toBER());
  const kdf = createHash("sha256").update(diffieHellman({ privateKey, publicKey: ephemeral }));
  const wrapping = kdf.update(Buffer.from([0, 0, 0, 1])).update(sharedInfo).digest();
  const unwrap = createDecipheriv("id-aes256-wrap", wrapping, Buffer.alloc(8, 0xa6));
  return unwrap.update(recipient.recipientEncryptedKeys.encryptedKeys[0].encryptedKey.valueBlock.valueHexView);
}

async function open(key) {
  const enveloped = new pkijs.EnvelopedData({ schema: contentInfo(input.buffer).content });
  if (enveloped.recipientInfos.length !== 1) throw new Error(`${enveloped.recipientInfos.length} RecipientInfos`);
  const raw = await contentKey(enveloped.recipientInfos[0].value, key);
  const { encryptedContentInfo: content } = enveloped;
  const iv = content.contentEncryptionAlgorithm.algorithmParams.valueBlock.valueHexView;
  const aes = await webcrypto.subtle.importKey("raw", raw, "AES-CBC", false, ["decrypt"]);
  process.stdout.write(new Uint8Array(await webcrypto.subtle.decrypt({ name: "AES-CBC", iv }, aes, content.getEncryptedContent())));
}

async function verify(signedData) {
  const signed = new pkijs.SignedData({ schema: contentInfo(exactBuffer(signedData)).content });
  if (signed.signerInfos.length !== 1) throw new Error(`${signed.signerInfos.length} signers`);
  if (!(await signed.verify({ signer: 0, data: input.buffer }))) throw new Error("the signature does not verify");
}

const [first, ...rest] = process.argv.slice(2);
await (first === "--verify" ? verify(...rest) : open(first));
