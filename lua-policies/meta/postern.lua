---@meta
-- What a policy can use, for editors (LuaLS annotations). Never run and not part of a set. The prose is in
-- docs/policies.md.

---@class Tls
---@field version string "TLSv1.3"
---@field cipher string "TLS_AES_256_GCM_SHA384"
---@field bits integer strength of the cipher
---@field verification string of the client's certificate: "none", "ok" or "failed"

---@class Client
---@field address string IP address
---@field name string? verified reverse name
---@field tls Tls? nil on a session in clear

---@class Recipient
---@field address string
---@field list string? name of the list that the address belongs to
---@field secure boolean whether that list is secure

---@class Transaction
---@field client Client
---@field helo string
---@field mail_from string "" for the null sender
---@field recipients Recipient[] read-only; use ipairs and #
---@field size integer bytes; in the hook rcpt what the sender announced, or 0

---@class Message
---@field subject string of the first Subject field, decoded and unfolded; "" if there is none
---@field from string? address of the single author
---@field size integer bytes
---@field message_id string?
---@field is_encrypted boolean the top is encrypted with S/MIME or PGP/MIME
---@field is_signed boolean the top is signed (the signature is not checked)
local Message = {}

---The decoded value of the first field of this name, in any case.
---@param name string
---@return string?
function Message:header(name) end

---The decoded values of all fields of this name.
---@param name string
---@return string[]
function Message:headers(name) end

---The values of all fields of this name as they came: folded and encoded.
---@param name string
---@return string[]
function Message:raw_headers(name) end

---Leaves a note in the trace of the message. At most 64 in a call.
---@param key string 1 to 40 characters of a-z 0-9 _ -
---@param value any shown as text, at most 256 bytes
function Message:note(key, value) end

---@class Verdict
---@class Verdicts

---Lets the message through; later policies are not asked.
---@param fields? { reason: string? }
---@return Verdict
function accept(fields) end

---Refuses for good. Defaults: 550, "5.7.1", a general text, the policy's name as reason.
---@param fields? { code: integer?, enh: string?, text: string?, reason: string? }
---@return Verdict
function reject(fields) end

---Refuses for now. Defaults: 451, "4.7.1".
---@param fields? { code: integer?, enh: string?, text: string?, reason: string? }
---@return Verdict
function defer(fields) end

---Says 250 and drops. Hook message only.
---@param fields? { reason: string? }
---@return Verdict
function discard(fields) end

---Says 250 and keeps for a person to decide. Hook message only.
---@param fields? { queue: string?, reason: string? }
---@return Verdict
function hold(fields) end

---Delivers to another address. Hook message only.
---@param fields { to: string, reason: string? }
---@return Verdict
function redirect(fields) end

---No opinion. The same as returning nothing.
---@return Verdict
function pass() end

---One verdict for each named recipient; the others pass. Hook message only.
---@param by_address table<string, Verdict>
---@return Verdicts
function verdicts(by_address) end

---Whether the whole text matches a pattern of literal characters, * (any run) and ? (any one byte), in any case.
---Never slow, unlike string.find with many wildcards.
---@param pattern string at most 256 bytes
---@param text string
---@return boolean
function match(pattern, text) end

---@class Case
---@field title string
---@field hook? "message"|"rcpt" default "message"
---@field tx? table as Transaction; recipients may be plain addresses
---@field rcpt? table|string hook rcpt: the recipient
---@field msg? table as Message; headers is a list of "Name: value"
---@field settings? table instead of the policy's defaults
---@field expect { verdict: string, code: integer?, enh: string?, reason: string?, text: string?, recipients: string[]? }

---@class Policy
---@field name string the file's name without .lua
---@field doc string
---@field settings? table<string, boolean|number|string|string[]>
---@field hooks { rcpt: (fun(tx: Transaction, rcpt: Recipient): Verdict?)?, message: (fun(tx: Transaction, msg: Message): (Verdict|Verdicts)?)? }
---@field cases? Case[]|fun(): Case[]
