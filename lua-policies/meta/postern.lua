---@meta
-- What a policy can use, for editors (LuaLS annotations). Never run and not part of a set. The prose is in
-- docs/policies.md.

---@class Tls
---@field version string "TLSv1.3"
---@field cipher string "TLS_AES_256_GCM_SHA384"
---@field bits integer strength of the cipher
---@field verification string of the client's certificate: "none", "ok" or "failed"

---What DNS lists of bad addresses say of a client.
---@class Dnsbl
---@field score integer the weights of the zones that list it, added up
---@field zones string[] their names

---What rspamd makes of a message.
---@class Spam
---@field score number
---@field required number score from which it is spam
---@field action string "no action", "greylist", "add header", "rewrite subject", "soft reject" or "reject"
---@field symbols table<string, number> name to score

---@class Client
---@field address string IP address
---@field name string? verified reverse name
---@field tls Tls? nil on a session in clear
---@field dnsbl Dnsbl? nil where no zones are asked, and for relays

---@class Recipient
---@field address string
---@field list string? name of the list that the address belongs to
---@field secure boolean whether that list is secure

---@class User
---@field account string
---@field address string the only one that this person may write as

---@class Transaction
---@field client Client
---@field helo string "" in the hook connect
---@field mail_from string "" for the null sender, and before MAIL
---@field recipients Recipient[] read-only; use ipairs and #
---@field size integer bytes; before the content what the sender announced, or 0

---Whether the message is of whom it says; words as in Authentication-Results (RFC 8601).
---@class Authentication
---@field spf string "pass", "fail", "softfail", "neutral", "none", "temperror" or "permerror"
---@field dkim string of the best signature: "pass", "fail", "policy", "neutral", "none", "temperror" or "permerror"
---@field dmarc string "pass", "fail", "none", "temperror" or "permerror"
---@field arc string "none", "pass" or "fail"
---@field domain string? of From; nil if it names no single author
---@field policy string what the domain's DMARC record asks for: "none", "quarantine" or "reject"
---@field proven boolean SPF or DKIM speaks for the domain
---@field undecided boolean not proven, but an answer of the DNS was missing
---@field own_domain boolean the domain is one of the site's
---@field arc_sealer string? domain of the last seal, when the chain of ARC passes
---@field arc_vouches boolean that sealer says that DMARC passed for the domain when the message came to it

---@class Message
---@field auth Authentication? nil if the client is exempt: a relay, or this machine
---@field spam Spam? nil where no spam filter is asked
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

---@class Part
---@field type string lower case: "application/pdf"
---@field filename string? decoded (RFC 2231 and 2047), without any folder, at most 255 bytes
---@field size integer bytes of decoded content
---@field disposition string "attachment", "inline" or ""
---@field is_encrypted boolean with S/MIME or PGP

---The parts of the message, in their order; containers (multipart) are none. Nobody looks into archives.
---@return Part[]
function Message:parts() end

---The text that is shown: text parts that are no attachments, HTML as text, UTF-8, at most 256 kB. The second value
---says whether there is more.
---@return string
---@return boolean
function Message:text() end

---Leaves a note in the trace of the message. At most 64 in a call.
---@param key string 1 to 40 characters of a-z 0-9 _ -
---@param value any shown as text, at most 256 bytes
function Message:note(key, value) end

---A list, as the hooks post and member see it.
---@class List
---@field address string
---@field name string for people
---@field secure boolean
---@field sensitivity string "low", "moderate" or "high"
---@field anyone_posts boolean
---@field members integer

---A post for one list. Of what was encrypted to the list only the outside is known.
---@class Post
---@field author string? address of the single author
---@field mail_from string "" for the null sender
---@field subject string
---@field message_id string?
---@field size integer bytes
---@field is_encrypted boolean
---@field is_signed boolean
---@field author_is_member boolean
---@field is_released boolean a person has let it go from the quarantine: only protect{} counts
---@field proven string whether SPF or DKIM speak for the author: "yes", "no" or "unknown"
---@field list List
local Post = {}

---What a policy noted with this key when the message came.
---@param key string
---@return string?
function Post:noted(key) end

---@class Member
---@field address string
---@field domain string

---The mail server that a copy is about to be given to.
---@class Hop
---@field host string
---@field address string IP address
---@field tls Tls? nil on a connection in clear; verification in the words of the ledger
---@field verified boolean TLS with a certificate that proves the destination

---A copy in the outbound queue, as the hooks attempt and expire see it. Nobody sees its content there.
---@class Copy
---@field kind string "content", "notice" or "report"
---@field mail_from string "" for the null sender
---@field recipient string
---@field domain string
---@field protection string "none", "tls", "pickup", "openpgp" or "smime"
---@field floor string the least that it may have
---@field attempts integer finished ones
---@field age integer seconds since it was queued
---@field hop Hop? hook attempt
---@field failure string? hook expire: what the server said for good; nil when its time ran out

---A mail server where copies for a domain may go.
---@class NextHop
---@field host string
---@field address string IP address
---@field port integer

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

---Protects by this at least: "tls", "pickup", "openpgp" or "smime". It only ever strengthens. Hooks post (all copies),
---member (this one's) and attempt (this try).
---@param fields { protection: string, reason: string? }
---@return Verdict
function protect(fields) end

---Tries these of the next hops, in this order, and no others. Only those that the hook was shown can be named. Hook route
---only.
---@param fields { hosts: string[], reason: string? } names or addresses
---@return Verdict
function route(fields) end

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

---Whether a regular expression of RE2 occurs in the text: linear in the text, no back-references, no look-around.
---(?i) at its start ignores case; [[…]] saves doubling its backslashes.
---@param pattern string at most 4096 bytes
---@param text string
---@return boolean
function matches(pattern, text) end

---What a regular expression of RE2 matches in the text, in order; empty matches are left out.
---@param pattern string
---@param text string
---@param limit? integer 1 to 1000, default 100
---@return string[]
function find_all(pattern, text, limit) end

---Those of the words that occur in the text as whole words, each once, at most 1000. Case, accents and marks between
---words do not count; an entry may be a phrase of up to 8 words. The words are a list, or the name of a declared set.
---@param words string[]|string
---@param text string
---@return string[]
function words_in(words, text) end

---Whether a value is in a declared set. Case does not matter; an entry ".example.org" stands for that domain and all
---below it.
---@param name string of a set that this policy declares
---@param value string
---@return boolean
function in_set(name, value) end

---Counts a key once and says how often that was in the window that ends now, this time included. Each policy has its
---own keys. At most 64 calls of it in one call of a hook.
---@param key string 1 to 256 bytes
---@param seconds integer 1 second to 7 days
---@return integer
function count(key, seconds) end

---@class Case
---@field title string
---@field hook? "connect"|"ehlo"|"auth"|"mail"|"rcpt"|"message"|"post"|"member"|"attempt"|"expire"|"route" default "message"
---@field tx? table as Transaction; recipients may be plain addresses
---@field rcpt? table|string hook rcpt: the recipient
---@field user? table hook auth: as User
---@field post? table hooks post and member: as Post, and notes = { key = value }
---@field list? table hooks post and member: as List
---@field member? string hook member: an address
---@field copy? table hooks attempt and expire: as Copy
---@field domain? string hook route
---@field hops? string[] hook route: names of the next hops
---@field msg? table as Message; headers is a list of "Name: value", parts, text and text_cut what the functions give
---@field settings? table instead of the policy's defaults
---@field sets? table<string, string[]> what the declared sets hold; all others are empty
---@field counts? table<string, integer> what count() answers for a key the first time; 1 for all others
---@field expect { verdict: string, code: integer?, enh: string?, reason: string?, text: string?, protection: string?, hosts: string[]?, recipients: string[]? }

---@class Policy
---@field name string the file's name without .lua
---@field doc string
---@field settings? table<string, boolean|number|string|string[]>
---@field sets? table<string, string> names of sets that the site fills, with what they are for
---@field awake? fun(): boolean false: the settings leave it nothing to do, and it is not called
---@field hooks { connect: (fun(tx: Transaction): Verdict?)?, ehlo: (fun(tx: Transaction): Verdict?)?, auth: (fun(tx: Transaction, user: User): Verdict?)?, mail: (fun(tx: Transaction): Verdict?)?, rcpt: (fun(tx: Transaction, rcpt: Recipient): Verdict?)?, message: (fun(tx: Transaction, msg: Message): (Verdict|Verdicts)?)?, post: (fun(post: Post, list: List): Verdict?)?, member: (fun(post: Post, member: Member): Verdict?)?, attempt: (fun(copy: Copy): Verdict?)?, expire: (fun(copy: Copy): Verdict?)?, route: (fun(domain: string, hops: NextHop[]): Verdict?)? }
---@field cases? Case[]|fun(): Case[]
