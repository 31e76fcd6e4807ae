#include "core/app/MailTexts.h"

namespace postern::app {
namespace {

constexpr MailText Texts[] = {
    {"hold-notice", "Bitte bewahren Sie E-Mails auf",
     R"(Guten Tag,

Sie werden gebeten, bestimmte E-Mails nicht zu löschen. Worum es geht und was
Sie tun sollen, steht hinter diesem Link. Bitte lesen und bestätigen Sie es
dort:

{link}

Mehr steht in dieser E-Mail mit Absicht nicht.
)"},
    {"hold-reminder", "Erinnerung: Bitte bewahren Sie E-Mails auf",
     R"(Guten Tag,

Sie wurden gebeten, bestimmte E-Mails nicht zu löschen, und haben das noch
nicht bestätigt. Bitte lesen Sie, worum es geht, und bestätigen Sie es dort:

{link}

Mehr steht in dieser E-Mail mit Absicht nicht.
)"},
    {"approvals-waiting", "Anträge warten auf Ihre Entscheidung",
     R"(Guten Tag,

Anträge, die auf eine zweite Person warten: {number}

Entscheiden Sie hier darüber:

{link}
)"},
    {"lone-person-change", "Eine Änderung, die sonst niemand freigeben kann",
     R"(Guten Tag,

eine Anlage, für die nur eine Person zuständig ist, nimmt eine Änderung vor,
für die sonst eine zweite Person gefragt würde. Sie erfahren davon, weil Ihre
Adresse die Außenadresse dieser Anlage ist.

Art der Änderung: {word}
Nummer des Antrags: {number}
Wirksam ab: {time}

Soll sie nicht erfolgen, halten Sie sie vorher hier an:

{link}
)"},
    {"one-person-site", "Eine Person bleibt allein übrig",
     R"(Guten Tag,

es wurde eine Änderung beantragt, nach der für die Anlage, an der Sie arbeiten,
nur noch eine Person zuständig ist. Niemand könnte dann freigeben oder
ablehnen, was diese Person beantragt.

Nummer des Antrags: {number}
Wirksam ab: {time}

Die Außenadresse der Anlage kann sie bis dahin anhalten. Sie steht hier:

{link}
)"},
    {"audit-anchor", "Prüfpunkt des Prüfprotokolls",
     R"(Bewahren Sie diese E-Mail auf. Sie beweist später, dass das Prüfprotokoll bis
zu diesem Punkt nicht verändert wurde.

{checkpoint})"},
    {"invitation", "Ihr Konto",
     R"(Guten Tag,

für Sie wurde ein Konto vorbereitet. Richten Sie es hier ein:

{link}

Der Link gilt einmal, bis {time}.
)"},
    {"key-confirm", "Ein Schlüssel für Ihre Adresse",
     R"(Guten Tag,

uns wurde ein Schlüssel für Ihre Adresse geschickt. Waren Sie das, sehen Sie
ihn sich an und bestätigen Sie ihn hier innerhalb von drei Tagen:

{link}

Waren Sie es nicht, tun Sie nichts: Dann wird er nicht verwendet.
)"},
    {"key-unfit", "Ein Schlüssel, der nicht verwendet werden kann",
     R"(Guten Tag,

uns wurde ein Schlüssel für Ihre Adresse geschickt, der nicht verwendet werden
kann. Warum, und wo Sie innerhalb von drei Tagen einen anderen angeben können,
steht hier:

{link}

Waren Sie es nicht, tun Sie nichts.
)"},
    {"key-page", "Ihre Schlüssel",
     R"(Guten Tag,

hier sehen Sie die Schlüssel für Ihre Adresse und können innerhalb von drei
Tagen einen neuen angeben:

{link}

Haben Sie nicht darum gebeten, tun Sie nichts.
)"},
    {"break-glass", "Das Notfallkonto wurde geöffnet",
     R"(Guten Tag,

das versiegelte Notfallkonto der Anlage wurde geöffnet: {time}
Wenn Sie nicht wissen, warum, gehen Sie dem jetzt nach:

{link}
)"},
    {"content-access", "Personal hat E-Mails einer Ihrer Listen geöffnet",
     R"(Guten Tag,

eine Person vom Personal hat E-Mails einer Ihrer Listen geöffnet: {time}
Wer und wann, steht hinter diesem Link bei der Liste:

{link}

Diese E-Mail kommt höchstens einmal am Tag.
)"},
    {"pickup-link", "Ihr Link zu sicheren Nachrichten",
     R"(Guten Tag,

hier ist Ihr Link zu den sicheren Nachrichten, die für Sie bereitliegen:

{link}

Er gilt einmal, bis {time}, und beendet jeden Link, den Sie
vorher bekommen haben. Nutzen Sie ihn nicht, geschieht nichts.
)"},
    {"pickup-problem", "Jemand meldet ein Problem mit sicheren Nachrichten",
     R"(Guten Tag,

jemand, der hier sichere Nachrichten liest, hat ein Problem mit einer Nachricht
gemeldet: {time}
Welches, steht hinter diesem Link:

{link}

Diese E-Mail kommt höchstens einmal in der Stunde.
)"},
    {"key-ending", "Ihr Schlüssel läuft bald ab",
     R"(Guten Tag,

der Schlüssel, mit dem E-Mails für Sie verschlüsselt werden, läuft ab: {time}
Danach können solche E-Mails Sie nicht mehr so erreichen wie jetzt. Geben Sie
hier einen neuen Schlüssel an:

{link}

Der Link gilt einmal, bis {time}.
)"},
    {"list-keys", "Die Schlüssel einer Liste",
     R"(Guten Tag,

dies sind die öffentlichen Schlüssel der Liste {address}.
Sie bekommen sie, weil von Ihrer Adresse eine E-Mail mit dem Betreff "key" kam.
E-Mails können unterwegs verändert werden: Wenn es darauf ankommt, vergleichen
Sie die Fingerabdrücke mit einem Eigentümer der Liste, bevor Sie einen
Schlüssel verwenden.

Für S/MIME:

{certificates}
Für OpenPGP:

{openpgp})"},
    {"owner-work", "Ihre Listen: was zu tun ist",
     R"(Guten Tag,

auf den Listen, die Ihnen gehören:

Schlüssel, die auf eine Entscheidung warten: {number}
Mitglieder, die keine Kopien bekommen: {number}
Schlüssel, die innerhalb von 30 Tagen ablaufen: {number}

Wer das ist und was zu tun ist, steht hier:

{link}

Diese E-Mail kommt höchstens einmal in der Woche.
)"},
    {"quarantine", "E-Mails warten in der Quarantäne",
     R"(Guten Tag,

E-Mails an die Listen, um die Sie sich kümmern, muss ein Mensch ansehen:

Nachrichten, die warten: {number}
Davon werden ohne Freigabe innerhalb von drei Tagen vernichtet: {number}

Geben Sie sie hier frei oder löschen Sie sie:

{link}

Diese E-Mail kommt höchstens einmal am Tag.
)"},
    {"join-confirm", "Bitte bestätigen: eine Mailingliste",
     R"(Guten Tag,

jemand, wahrscheinlich Sie, möchte diese Adresse auf die folgende Mailingliste
setzen:

{mailbox}

Waren Sie das, bestätigen Sie es hier mit der Schaltfläche auf der Seite:

{link}

oder antworten Sie einfach auf diese E-Mail. Die Antwort geht an

{mailbox}

Beides gilt einmal, bis {time}. Waren Sie es nicht, tun Sie
nichts: Dann geschieht auch nichts.
)"},
    {"leave-confirm", "Bitte bestätigen: eine Mailingliste verlassen",
     R"(Guten Tag,

jemand, wahrscheinlich Sie, möchte diese Adresse von der folgenden Mailingliste
nehmen:

{mailbox}

Waren Sie das, bestätigen Sie es hier mit der Schaltfläche auf der Seite:

{link}

oder antworten Sie einfach auf diese E-Mail. Die Antwort geht an

{mailbox}

Beides gilt einmal, bis {time}. Waren Sie es nicht, tun Sie
nichts: Dann geschieht auch nichts.
)"},
    {"address-confirm", "Bitte bestätigen: eine andere Adresse",
     R"(Guten Tag,

ein Mitglied der Mailingliste

{mailbox}

möchte eine Adresse durch eine andere ersetzen. Ihre ist eine der beiden, und
beide müssen es bestätigen. Welche es sind, und eine Schaltfläche, finden Sie
hier:

{link}

Der Link gilt bis {time}. Waren Sie es nicht, tun Sie nichts:
Dann geschieht auch nichts.
)"},
    {"list-invitation", "Sie sind auf eine Mailingliste eingeladen",
     R"(Guten Tag,

wer sich um die Mailingliste

{mailbox}

kümmert, lädt Sie dazu ein. Worum es dort geht, und eine Schaltfläche zum
Annehmen oder Ablehnen, finden Sie hier:

{link}

Der Link gilt einmal, bis {time}. Tun Sie nichts, geschieht
nichts.
)"},
    {"joined", "Sie sind jetzt auf einer Mailingliste",
     R"(Guten Tag,

diese Adresse ist jetzt auf der Mailingliste

{mailbox}

Wie Sie an sie schreiben, wie Sie sie verlassen und was Sie sonst einstellen
können, steht hier:

{link}
)"},
    {"joined-without-key", "Sie sind jetzt auf einer sicheren Mailingliste",
     R"(Guten Tag,

diese Adresse ist jetzt auf der sicheren Mailingliste

{mailbox}

Deren Nachrichten gehen verschlüsselt hinaus oder gar nicht, und noch gibt es
nichts, womit sie für Sie geschützt werden könnten: Bis dahin bekommen Sie
keine. Um sie zu bekommen, schicken Sie eine E-Mail mit Ihrem S/MIME-Zertifikat
oder OpenPGP-Schlüssel als Anhang, oder eine signierte E-Mail, an

{mailbox}

oder geben Sie den Schlüssel auf einer Seite an. Wie das geht, und was Sie
sonst einstellen können, steht hier:

{link}
)"},
    {"left", "Sie sind nicht mehr auf einer Mailingliste",
     R"(Guten Tag,

diese Adresse ist nicht mehr auf dieser Mailingliste:

{mailbox}
)"},
    {"request-refused", "Ihr Antrag an eine Mailingliste",
     R"(Guten Tag,

was Sie von der Mailingliste

{mailbox}

erbeten haben, wurde nicht gewährt. Wurde ein Grund angegeben, steht er hier:

{link}
)"},
    {"requests-waiting", "Bei einer Mailingliste wartet man auf Sie",
     R"(Guten Tag,

Menschen, die auf Listen möchten, um die Sie sich kümmern, oder von ihnen
herunter: {number}

Entscheiden Sie hier darüber:

{link}

Diese E-Mail kommt höchstens alle vier Stunden.
)"},
    {"list-help", "Wie man eine Mailingliste benutzt",
     R"(Guten Tag,

von dieser Adresse kam die Bitte um Hilfe zur Mailingliste

{mailbox}

Befehle gehen an

{mailbox}

als Betreff oder als Zeilen des Textes:

join          setzt die Adresse, von der die E-Mail kommt, auf die Liste
leave         nimmt sie von der Liste
confirm CODE  bestätigt, worum gebeten wurde, mit dem Code unserer E-Mail
set           schickt einen Link zu den Einstellungen Ihrer Mitgliedschaft
info          schickt einen Link zu dem, was die Liste über sich sagt
key           schickt die öffentlichen Schlüssel der Liste, wenn sie sie gibt
end           liest nicht weiter

Mehr steht hier:

{link}
)"},
    {"member-link", "Ihre Mitgliedschaft bei einer Mailingliste",
     R"(Guten Tag,

die Einstellungen Ihrer Mitgliedschaft bei der Mailingliste

{mailbox}

finden Sie, falls Sie Mitglied sind, bis {time} hier:

{link}

Haben Sie nicht darum gebeten, tun Sie nichts.
)"},
};

}  // namespace

std::span<const MailText> germanTexts() {
  return Texts;
}

}  // namespace postern::app
