#include "core/app/MailTexts.h"

namespace postern::app {
namespace {

constexpr MailText Texts[] = {
    {"hold-notice", "Merci de conserver des messages",
     R"(Bonjour,

il vous est demandé de ne pas supprimer certains messages. De quoi il s'agit et
ce que vous devez faire se trouve derrière ce lien. Veuillez le lire et le
confirmer :

{link}

Ce message n'en dit volontairement pas plus.
)"},
    {"hold-reminder", "Rappel : merci de conserver des messages",
     R"(Bonjour,

il vous a été demandé de ne pas supprimer certains messages, et vous ne l'avez
pas encore confirmé. Veuillez lire de quoi il s'agit et le confirmer :

{link}

Ce message n'en dit volontairement pas plus.
)"},
    {"approvals-waiting", "Des demandes attendent votre décision",
     R"(Bonjour,

demandes qui attendent une deuxième personne : {number}

Décidez-en ici :

{link}
)"},
    {"lone-person-change", "Un changement que nul autre ne peut approuver",
     R"(Bonjour,

un site dont une seule personne s'occupe va faire un changement pour lequel une
deuxième personne serait normalement consultée. Vous en êtes informé parce que
votre adresse est l'adresse extérieure de ce site.

Nature du changement : {word}
Numéro de la demande : {number}
Prend effet le : {time}

S'il ne doit pas avoir lieu, arrêtez-le ici avant cette date :

{link}
)"},
    {"one-person-site", "Il ne restera qu'une seule personne",
     R"(Bonjour,

un changement a été demandé après lequel une seule personne s'occupera du site
sur lequel vous travaillez. Personne ne pourrait alors approuver ou refuser ce
que cette personne demande.

Numéro de la demande : {number}
Prend effet le : {time}

L'adresse extérieure du site peut l'arrêter jusque-là. Elle est indiquée ici :

{link}
)"},
    {"audit-anchor", "Point de contrôle du journal d'audit",
     R"(Conservez ce message. Il prouvera que le journal d'audit n'a pas été modifié
jusqu'à ce point.

{checkpoint})"},
    {"invitation", "Votre compte",
     R"(Bonjour,

un compte a été préparé pour vous. Configurez-le ici :

{link}

Le lien fonctionne une fois, jusqu'au {time}.
)"},
    {"key-confirm", "Une clé pour votre adresse",
     R"(Bonjour,

une clé pour votre adresse nous a été envoyée. Si c'était vous, regardez-la et
confirmez-la ici dans les trois jours :

{link}

Si ce n'était pas vous, ne faites rien : elle ne sera pas utilisée.
)"},
    {"key-unfit", "Une clé qui ne peut pas être utilisée",
     R"(Bonjour,

une clé pour votre adresse nous a été envoyée, et elle ne peut pas être
utilisée. Pourquoi, et où en donner une autre dans les trois jours, est indiqué
ici :

{link}

Si ce n'était pas vous, ne faites rien.
)"},
    {"key-page", "Vos clés",
     R"(Bonjour,

les clés pour votre adresse sont montrées ici, et vous pouvez en donner une
nouvelle dans les trois jours :

{link}

Si vous ne l'avez pas demandé, ne faites rien.
)"},
    {"break-glass", "Le compte d'urgence a été ouvert",
     R"(Bonjour,

le compte d'urgence scellé du site a été ouvert le {time}.
Si vous ne savez pas pourquoi, examinez-le maintenant :

{link}
)"},
    {"content-access", "Le personnel a ouvert des messages d'une de vos listes",
     R"(Bonjour,

le {time}, une personne du personnel a ouvert des
messages d'une liste qui est la vôtre. Qui et quand se trouve derrière ce lien,
sous la liste :

{link}

Vous recevez ce message au plus une fois par jour.
)"},
    {"pickup-link", "Votre lien vers des messages sécurisés",
     R"(Bonjour,

voici votre lien vers les messages sécurisés qui vous attendent :

{link}

Il fonctionne une fois, jusqu'au {time}, et met fin à tous les
liens que vous avez reçus auparavant. Si vous ne l'utilisez pas, rien ne se
passe.
)"},
    {"pickup-problem", "Quelqu'un signale un problème de message sécurisé",
     R"(Bonjour,

le {time}, quelqu'un qui lit ici des messages sécurisés a
signalé un problème avec l'un d'eux. Lequel se trouve derrière ce lien :

{link}

Vous recevez ce message au plus une fois par heure.
)"},
    {"key-ending", "Votre clé expire bientôt",
     R"(Bonjour,

la clé avec laquelle les messages sont chiffrés pour vous expire le {time}.
Après cette date, ces messages ne pourront plus vous parvenir comme
aujourd'hui. Donnez une nouvelle clé ici :

{link}

Le lien fonctionne une fois, jusqu'au {time}.
)"},
    {"list-keys", "Les clés d'une liste",
     R"(Bonjour,

voici les clés publiques de la liste {address}.
Vous les recevez parce qu'un message avec le sujet "key" est venu de votre
adresse. Un message peut être modifié en chemin : quand c'est important,
comparez les empreintes avec un propriétaire de la liste avant d'utiliser une
clé.

Pour S/MIME :

{certificates}
Pour OpenPGP :

{openpgp})"},
    {"owner-work", "Vos listes : ce qui vous attend",
     R"(Bonjour,

sur les listes qui vous appartiennent :

Clés qui attendent une décision : {number}
Membres qui ne reçoivent pas de copies : {number}
Clés qui expirent dans les 30 jours : {number}

Qui est concerné et que faire est indiqué ici :

{link}

Vous recevez ce message au plus une fois par semaine.
)"},
    {"quarantine", "Des messages attendent en quarantaine",
     R"(Bonjour,

des messages qu'une personne doit examiner, pour les listes dont vous vous
occupez :

Messages qui attendent : {number}
Détruits dans les trois jours si personne ne les libère : {number}

Libérez-les ou supprimez-les ici :

{link}

Vous recevez ce message au plus une fois par jour.
)"},
    {"join-confirm", "Veuillez confirmer : une liste de diffusion",
     R"(Bonjour,

quelqu'un, sans doute vous, a demandé à inscrire cette adresse à la liste de
diffusion

{mailbox}

Si c'était vous, confirmez-le ici, par le bouton de la page :

{link}

ou répondez simplement à ce message. La réponse va à

{mailbox}

Les deux fonctionnent une fois, jusqu'au {time}. Si ce n'était
pas vous, ne faites rien : alors rien ne se passe.
)"},
    {"leave-confirm", "Veuillez confirmer : quitter une liste de diffusion",
     R"(Bonjour,

quelqu'un, sans doute vous, a demandé à retirer cette adresse de la liste de
diffusion

{mailbox}

Si c'était vous, confirmez-le ici, par le bouton de la page :

{link}

ou répondez simplement à ce message. La réponse va à

{mailbox}

Les deux fonctionnent une fois, jusqu'au {time}. Si ce n'était
pas vous, ne faites rien : alors rien ne se passe.
)"},
    {"address-confirm", "Veuillez confirmer : une autre adresse",
     R"(Bonjour,

un membre de la liste de diffusion

{mailbox}

a demandé qu'une adresse en remplace une autre. La vôtre est l'une des deux, et
les deux doivent le confirmer. Lesquelles ce sont, et un bouton, se trouvent
ici :

{link}

Le lien fonctionne jusqu'au {time}. Si ce n'était pas vous, ne
faites rien : alors rien ne se passe.
)"},
    {"list-invitation", "Vous êtes invité à une liste de diffusion",
     R"(Bonjour,

les personnes qui s'occupent de la liste de diffusion

{mailbox}

vous y invitent. De quoi elle traite, et un bouton pour accepter ou refuser, se
trouvent ici :

{link}

Le lien fonctionne une fois, jusqu'au {time}. Si vous ne faites
rien, rien ne se passe.
)"},
    {"joined", "Vous êtes inscrit à une liste de diffusion",
     R"(Bonjour,

cette adresse est maintenant inscrite à la liste de diffusion

{mailbox}

Comment y écrire, comment la quitter et ce que vous pouvez régler est indiqué
ici :

{link}
)"},
    {"joined-without-key", "Vous êtes inscrit à une liste sécurisée",
     R"(Bonjour,

cette adresse est maintenant inscrite à la liste de diffusion sécurisée

{mailbox}

Ses messages partent chiffrés ou pas du tout, et il n'y a encore rien qui
permette de les protéger pour vous : jusque-là, vous n'en recevez aucun. Pour
les recevoir, envoyez un message avec votre certificat S/MIME ou votre clé
OpenPGP en pièce jointe, ou un message signé, à

{mailbox}

ou donnez la clé sur une page. Comment faire, et ce que vous pouvez régler, est
indiqué ici :

{link}
)"},
    {"left", "Vous n'êtes plus inscrit à une liste de diffusion",
     R"(Bonjour,

cette adresse n'est plus inscrite à cette liste de diffusion :

{mailbox}
)"},
    {"request-refused", "Votre demande à une liste de diffusion",
     R"(Bonjour,

ce que vous avez demandé à la liste de diffusion

{mailbox}

n'a pas été accordé. Si une raison a été donnée, elle se trouve ici :

{link}
)"},
    {"requests-waiting", "Une liste de diffusion attend votre décision",
     R"(Bonjour,

personnes qui ont demandé à rejoindre ou à quitter des listes dont vous vous
occupez : {number}

Décidez-en ici :

{link}

Vous recevez ce message au plus toutes les quatre heures.
)"},
    {"list-help", "Comment utiliser une liste de diffusion",
     R"(Bonjour,

un message de cette adresse a demandé de l'aide pour la liste de diffusion

{mailbox}

Les commandes vont à

{mailbox}

comme sujet ou comme lignes du texte :

join          inscrit à la liste l'adresse d'où vient le message
leave         la retire de la liste
confirm CODE  confirme ce qui a été demandé, avec le code de notre message
set           envoie un lien vers les réglages de votre inscription
info          envoie un lien vers ce que la liste dit d'elle-même
key           envoie les clés publiques de la liste, si elle les donne
end           arrête la lecture

Plus de détails se trouvent ici :

{link}
)"},
    {"member-link", "Votre inscription à une liste de diffusion",
     R"(Bonjour,

les réglages de votre inscription à la liste de diffusion

{mailbox}

se trouvent ici, si vous y êtes inscrit, jusqu'au {time} :

{link}

Si vous ne l'avez pas demandé, ne faites rien.
)"},
};

}  // namespace

std::span<const MailText> frenchTexts() {
  return Texts;
}

}  // namespace postern::app
