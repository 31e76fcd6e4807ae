-- Programs do not come by mail, under whatever name.
local tag = require("lib/tag")

local settings = {
  -- Last parts of names, as a person or a system reads them.
  extensions = {
    "ade", "adp", "app", "appinstaller", "application", "appx", "appxbundle", "bat", "chm", "cmd", "com", "cpl",
    "diagcab", "dll", "exe", "gadget", "hta", "inf", "ins", "isp", "jar", "jnlp", "js", "jse", "library-ms", "lnk",
    "mde", "msc", "msh", "msh1", "msh2", "mshxml", "msi", "msix", "msixbundle", "msp", "mst", "pif", "prf", "ps1",
    "ps1xml", "ps2", "ps2xml", "psc1", "psc2", "psd1", "psm1", "reg", "scf", "scr", "sct", "search-ms",
    "settingcontent-ms", "shb", "shs", "sys", "theme", "url", "vb", "vbe", "vbs", "vxd", "website", "wsc", "wsf",
    "wsh", "xbap", "xll",
  },
  -- MIME types, as wildcards.
  types = {
    "application/x-msdownload", "application/x-msdos-program", "application/x-ms-dos-executable",
    "application/x-dosexec", "application/vnd.microsoft.portable-executable", "application/x-executable",
    "application/x-msi", "application/hta", "application/x-ms-shortcut", "application/x-bat",
    "application/x-java-archive", "application/java-archive", "application/x-ms-application", "text/vbscript",
    "application/x-vbs", "message/external-body",
  },
  -- Documents that may hold programs (macros), by name and type.
  macros = false,
  -- Archives and disk images by name: nobody here looks into them. The extensions to refuse: "zip", "7z", "iso".
  archives = {},
  -- What the sender is told behind the reason. Plain ASCII.
  advice = "Share the file by a link, or ask the administrator.",
}

local MacroExtensions = { "docm", "dotm", "xlsm", "xltm", "xlam", "xlsb", "pptm", "potm", "ppam", "ppsm", "sldm" }

local function setOf(...)
  local set = {}
  for _, list in ipairs { ... } do
    for _, name in ipairs(list) do set[name:lower()] = true end
  end
  return set
end

-- Marks that turn the direction of writing show "exe.pdf" for "fdp.exe"; no honest name holds one.
local Turning = "[\u{202A}-\u{202E}\u{2066}-\u{2069}]"

-- What the most trusting system may take for the extension: without signs that cannot be seen and blanks or dots at the
-- end, look-alike letters as letters. A colon begins a stream of a file, or is made another sign: both count.
local function extensionsOf(name)
  local folded = tag.fold(name):gsub("\u{3002}", "."):gsub("\u{FF61}", ".")
  local found = {}
  for segment in folded:gmatch("[^:]+") do
    local extension = segment:gsub("[%s.]+$", ""):match("%.%s*([^.]*)$")
    if extension then found[#found + 1] = extension end
  end
  return found
end

local function whyNot(part, refused, macros)
  for _, pattern in ipairs(settings.types) do
    if match(pattern, part.type) then return "file-type", "the type " .. part.type end
  end
  if macros and matches([[(?i)macroenabled]], part.type) then return "macros", "documents with macros" end
  if not part.filename then return nil end
  if matches(Turning, part.filename) then return "turned-name", "names of files that turn the direction of writing" end
  for _, extension in ipairs(extensionsOf(part.filename)) do
    if macros and macros[extension] then return "macros", "documents with macros" end
    if refused[extension] then return "file-type", "files of the type ." .. extension end
  end
  return nil
end

local function message(_, msg)
  local refused = nil
  local macros = settings.macros and setOf(MacroExtensions)
  for _, part in ipairs(msg:parts()) do
    if part.filename and not refused then refused = setOf(settings.extensions, settings.archives) end
    local reason, what = whyNot(part, refused, macros)
    if reason then
      return reject { code = 550, enh = "5.7.1", reason = reason,
        text = "An attachment is refused: " .. what .. " are not taken here. " .. settings.advice }
    end
  end
  return pass()
end

local function cases()
  local Refused = { verdict = "reject", code = 550, enh = "5.7.1", reason = "file-type" }
  local Turned = { verdict = "reject", code = 550, enh = "5.7.1", reason = "turned-name" }
  local Macros = { verdict = "reject", code = 550, enh = "5.7.1", reason = "macros" }
  local Passes = { verdict = "pass" }
  local all = {}
  local function add(title, parts, expect, values)
    all[#all + 1] = { title = title, tx = { recipients = { { address = "social@example.org", list = "social" } } },
      msg = { parts = parts }, settings = values, expect = expect }
  end
  local function file(title, name, expect, values)
    add(title, { { type = "text/plain" }, { type = "application/octet-stream", filename = name } }, expect, values)
  end
  local function typed(title, mime, expect, values) add(title, { { type = mime } }, expect, values) end

  add("a message without parts passes", {}, Passes)
  add("text alone passes", { { type = "text/plain" }, { type = "text/html" } }, Passes)
  file("a document passes", "report.pdf", Passes)
  file("an image passes", "photo.JPEG", Passes)
  file("a name without an extension passes", "README", Passes)
  file("a name of dots passes", "...", Passes)
  file("a name with many dots passes", "minutes 2026.03.02 v1.2.docx", Passes)
  file("a program is refused", "setup.exe", Refused)
  file("in capitals", "SETUP.EXE", Refused)
  file("behind another extension", "invoice.pdf.exe", Refused)
  file("behind many blanks", "invoice.pdf" .. (" "):rep(200) .. ".exe", Refused)
  file("with a blank before the extension", "setup. exe", Refused)
  file("with a blank at its end", "setup.exe ", Refused)
  file("with dots at its end", "setup.exe...", Refused)
  file("with dots and blanks at its end", "setup.exe . .", Refused)
  file("with a no-break space at its end", "setup.exe\u{A0}", Refused)
  file("as a stream of a file", "setup.exe::$DATA", Refused)
  file("behind a colon", "Re: setup.exe", Refused)
  file("with a hidden sign in its extension", "setup.e\u{200B}xe", Refused)
  file("with a soft hyphen", "setup.ex\u{AD}e", Refused)
  file("in full-width letters", "setup\u{FF0E}\u{FF45}\u{FF58}\u{FF45}", Refused)
  file("with an ideographic full stop", "setup\u{3002}exe", Refused)
  file("with a Cyrillic letter", "setup.ex\u{435}", Refused)
  file("with a NUL before its end", "setup.exe\0", Refused)
  file("with a line end in its extension", "setup.\r\nexe", Refused)
  file("a script", "run.ps1", Refused)
  file("a shortcut", "report.pdf.lnk", Refused)
  file("the installer of apps", "x.msix", Refused)
  file("an extension only in the middle passes", "about.exe.txt", Passes)
  file("a name that turns its end is refused", "report\u{202E}fdp.exe", Turned)
  file("also where its extension is harmless", "report\u{202E}cod.pdf", Turned)
  file("so is a turned part of it", "a\u{2067}b\u{2069}.pdf", Turned)
  file("a name of another script passes", "דוח.pdf", Passes)
  file("a name of a third script passes", "。总结exe", Passes)
  typed("a program by its type, without a name", "application/x-msdownload", Refused)
  typed("content that lies elsewhere", "message/external-body", Refused)
  add("a program by its type under a harmless name",
    { { type = "application/x-msdownload", filename = "report.pdf" } }, Refused)
  add("a picture by its type under a program's name", { { type = "image/png", filename = "cat.scr" } }, Refused)
  add("inline parts count, too", { { type = "image/png", filename = "cat.scr", disposition = "inline" } }, Refused)
  add("the second of many attachments counts",
    { { type = "text/plain" }, { type = "image/png", filename = "a.png" }, { type = "x/y", filename = "b.vbs" } },
    Refused)
  file("the refusal names the type", "setup.exe", { verdict = "reject", text = "files of the type .exe" })
  file("and says what to do", "setup.exe", { verdict = "reject", text = "Share the file by a link" })

  file("documents with macros pass by default", "form.docm", Passes)
  file("and are refused by setting", "form.DOCM", Macros, { macros = true })
  file("binary sheets may hold macros", "data.xlsb", Macros, { macros = true })
  typed("by their type, without a name", "application/vnd.ms-word.document.macroenabled.12", Macros, { macros = true })
  typed("by their type in any case", "application/vnd.ms-excel.sheet.macroEnabled.12", Macros, { macros = true })
  file("documents without macros pass then", "form.docx", Passes, { macros = true })
  file("archives pass by default", "scans.zip", Passes)
  file("archives by setting", "scans.ZIP", Refused, { archives = { "zip", "iso" } })
  file("a second extension does not hide an archive", "scans.jpg.zip", Refused, { archives = { "zip" } })
  file("other archives pass then", "scans.tar", Passes, { archives = { "zip" } })
  file("the extensions are a setting", "setup.exe", Passes, { extensions = { "Dat" }, types = {} })
  file("in any case", "x.dat", Refused, { extensions = { "Dat" }, types = {} })
  typed("types by wildcards", "video/mp4", Refused, { types = { "video/*" } })
  return all
end

return {
  name = "attachment_types",
  doc = [[
Programs do not come by mail

Refuses attachments that are programs, by their name or MIME type; by setting also documents with macros, and archives.
A name counts as the most trusting system reads it: the last extension, without blanks, dots and signs that cannot be
seen, look-alike letters as letters. A name with a mark that turns the direction of writing is refused always.

Only names and types are looked at. What is inside archives and encrypted mail is for the scanner of malware, or for
nobody.
]],
  settings = settings,
  hooks = { message = message },
  cases = cases,
}
