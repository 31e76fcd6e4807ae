#include "core/app/MailTexts.h"

namespace postern::app {
namespace {

constexpr MailText Texts[] = {
    {"hold-notice", "Le pedimos que conserve correos",
     R"(Buenos días:

Se le pide que no borre ciertos correos. De qué se trata y qué debe hacer está
detrás de este enlace. Por favor, léalo y confírmelo allí:

{link}

Este correo no dice nada más a propósito.
)"},
    {"hold-reminder", "Recordatorio: le pedimos que conserve correos",
     R"(Buenos días:

Se le pidió que no borrara ciertos correos y aún no lo ha confirmado. Por
favor, lea de qué se trata y confírmelo allí:

{link}

Este correo no dice nada más a propósito.
)"},
    {"approvals-waiting", "Hay solicitudes que esperan su decisión",
     R"(Buenos días:

Solicitudes que esperan a una segunda persona: {number}

Decida sobre ellas aquí:

{link}
)"},
    {"lone-person-change", "Un cambio que nadie más puede aprobar",
     R"(Buenos días:

Un sitio del que solo se ocupa una persona va a hacer un cambio para el que
normalmente se consultaría a una segunda. Se le avisa porque su dirección es la
dirección externa de ese sitio.

Tipo de cambio: {word}
Número de la solicitud: {number}
Tiene efecto el: {time}

Si no debe hacerse, deténgalo aquí antes de esa fecha:

{link}
)"},
    {"one-person-site", "Quedará una sola persona",
     R"(Buenos días:

Se ha solicitado un cambio tras el cual una sola persona se ocupará del sitio
en el que usted trabaja. Nadie podría entonces aprobar o rechazar lo que esa
persona solicite.

Número de la solicitud: {number}
Tiene efecto el: {time}

La dirección externa del sitio puede detenerlo hasta entonces. Se muestra aquí:

{link}
)"},
    {"audit-anchor", "Punto de control del registro de auditoría",
     R"(Conserve este correo. Demostrará que el registro de auditoría no se ha
modificado hasta este punto.

{checkpoint})"},
    {"invitation", "Su cuenta",
     R"(Buenos días:

Se ha preparado una cuenta para usted. Configúrela aquí:

{link}

El enlace funciona una vez, hasta {time}.
)"},
    {"key-confirm", "Una clave para su dirección",
     R"(Buenos días:

Nos han enviado una clave para su dirección. Si fue usted, mírela y confírmela
aquí en un plazo de tres días:

{link}

Si no fue usted, no haga nada: no se usará.
)"},
    {"key-unfit", "Una clave que no se puede usar",
     R"(Buenos días:

Nos han enviado una clave para su dirección que no se puede usar. Por qué, y
dónde dar otra en un plazo de tres días, se indica aquí:

{link}

Si no fue usted, no haga nada.
)"},
    {"key-page", "Sus claves",
     R"(Buenos días:

Aquí se muestran las claves de su dirección, y puede dar una nueva en un plazo
de tres días:

{link}

Si no lo ha pedido, no haga nada.
)"},
    {"break-glass", "Se ha abierto la cuenta de emergencia",
     R"(Buenos días:

La cuenta de emergencia sellada del sitio se abrió el {time}.
Si no sabe por qué, averígüelo ahora:

{link}
)"},
    {"content-access", "El personal abrió correos de una de sus listas",
     R"(Buenos días:

El {time}, una persona del personal abrió correos de una
lista que es suya. Quién y cuándo está detrás de este enlace, en la lista:

{link}

Recibe este correo una vez al día como mucho.
)"},
    {"pickup-link", "Su enlace a los mensajes seguros",
     R"(Buenos días:

Este es su enlace a los mensajes seguros que le esperan:

{link}

Funciona una vez, hasta {time}, y anula todos los enlaces que
recibió antes. Si no lo usa, no pasa nada.
)"},
    {"pickup-problem", "Alguien avisa de un problema con un mensaje seguro",
     R"(Buenos días:

El {time}, alguien que lee aquí mensajes seguros avisó de
un problema con uno de ellos. Cuál es está detrás de este enlace:

{link}

Recibe este correo una vez por hora como mucho.
)"},
    {"key-ending", "Su clave caduca pronto",
     R"(Buenos días:

La clave con la que se cifran los correos para usted caduca el {time}.
Después, esos correos no podrán llegarle como ahora. Dé aquí una clave nueva:

{link}

El enlace funciona una vez, hasta {time}.
)"},
    {"list-keys", "Las claves de una lista",
     R"(Buenos días:

Estas son las claves públicas de la lista {address}.
Las recibe porque llegó de su dirección un correo con el asunto "key". Un
correo puede cambiarse por el camino: cuando importe, compare las huellas con
un propietario de la lista antes de usar una clave.

Para S/MIME:

{certificates}
Para OpenPGP:

{openpgp})"},
    {"owner-work", "Sus listas: lo que hay que hacer",
     R"(Buenos días:

En las listas que son suyas:

Claves que esperan una decisión: {number}
Miembros que no reciben copias: {number}
Claves que caducan en 30 días: {number}

Quiénes son y qué hacer se indica aquí:

{link}

Recibe este correo una vez por semana como mucho.
)"},
    {"quarantine", "Hay correos que esperan en la cuarentena",
     R"(Buenos días:

Correos que una persona tiene que mirar, de las listas de las que usted se
ocupa:

Mensajes que esperan: {number}
Se destruyen en tres días si nadie los libera: {number}

Libérelos o bórrelos aquí:

{link}

Recibe este correo una vez al día como mucho.
)"},
    {"join-confirm", "Por favor, confirme: una lista de correo",
     R"(Buenos días:

Alguien, probablemente usted, pidió poner esta dirección en la lista de correo

{mailbox}

Si fue usted, confírmelo aquí con el botón de la página:

{link}

o simplemente responda a este correo. La respuesta va a

{mailbox}

Ambas cosas funcionan una vez, hasta {time}. Si no fue usted,
no haga nada: entonces no pasa nada.
)"},
    {"leave-confirm", "Por favor, confirme: dejar una lista de correo",
     R"(Buenos días:

Alguien, probablemente usted, pidió quitar esta dirección de la lista de correo

{mailbox}

Si fue usted, confírmelo aquí con el botón de la página:

{link}

o simplemente responda a este correo. La respuesta va a

{mailbox}

Ambas cosas funcionan una vez, hasta {time}. Si no fue usted,
no haga nada: entonces no pasa nada.
)"},
    {"address-confirm", "Por favor, confirme: otra dirección",
     R"(Buenos días:

Un miembro de la lista de correo

{mailbox}

pidió que una dirección ocupe el lugar de otra. La suya es una de las dos, y
ambas tienen que confirmarlo. Cuáles son, y un botón, están aquí:

{link}

El enlace funciona hasta {time}. Si no fue usted, no haga
nada: entonces no pasa nada.
)"},
    {"list-invitation", "Le invitan a una lista de correo",
     R"(Buenos días:

Las personas que se ocupan de la lista de correo

{mailbox}

le invitan a ella. De qué trata, y un botón para aceptar o rechazar, están
aquí:

{link}

El enlace funciona una vez, hasta {time}. Si no hace nada, no
pasa nada.
)"},
    {"joined", "Ahora está en una lista de correo",
     R"(Buenos días:

Esta dirección está ahora en la lista de correo

{mailbox}

Cómo escribirle, cómo dejarla y qué más puede ajustar se indica aquí:

{link}
)"},
    {"joined-without-key", "Ahora está en una lista de correo segura",
     R"(Buenos días:

Esta dirección está ahora en la lista de correo segura

{mailbox}

Sus mensajes salen cifrados o no salen, y aún no hay nada con lo que se puedan
proteger para usted: hasta entonces no recibe ninguno. Para recibirlos, envíe
un correo con su certificado S/MIME o su clave OpenPGP adjuntos, o un correo
firmado, a

{mailbox}

o dé la clave en una página. Cómo, y qué más puede ajustar, se indica aquí:

{link}
)"},
    {"left", "Ya no está en una lista de correo",
     R"(Buenos días:

Esta dirección ya no está en esta lista de correo:

{mailbox}
)"},
    {"request-refused", "Su solicitud a una lista de correo",
     R"(Buenos días:

Lo que pidió a la lista de correo

{mailbox}

no se ha concedido. Si se dio un motivo, está aquí:

{link}
)"},
    {"requests-waiting", "Una lista de correo espera su decisión",
     R"(Buenos días:

Personas que pidieron entrar en listas de las que usted se ocupa, o dejarlas:
{number}

Decida sobre ellas aquí:

{link}

Recibe este correo cada cuatro horas como mucho.
)"},
    {"list-help", "Cómo usar una lista de correo",
     R"(Buenos días:

Desde esta dirección se pidió ayuda sobre la lista de correo

{mailbox}

Las órdenes van a

{mailbox}

como asunto o como líneas del texto:

join          pone en la lista la dirección de la que viene el correo
leave         la quita de la lista
confirm CODE  confirma lo que se pidió, con el código de nuestro correo
set           envía un enlace a los ajustes de su suscripción
info          envía un enlace a lo que la lista dice de sí misma
key           envía las claves públicas de la lista, si las da
end           no lee más

Hay más información aquí:

{link}
)"},
    {"member-link", "Su suscripción a una lista de correo",
     R"(Buenos días:

Los ajustes de su suscripción a la lista de correo

{mailbox}

están aquí, si está en ella, hasta {time}:

{link}

Si no lo ha pedido, no haga nada.
)"},
};

}  // namespace

std::span<const MailText> spanishTexts() {
  return Texts;
}

}  // namespace postern::app
