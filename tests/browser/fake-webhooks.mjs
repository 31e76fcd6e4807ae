// The orders about webhooks, as listd answers them.
export function webhookOrders(site, Refused) {
  const now = () => Date.now() * 1000, hour = 3600 * 1e6;
  site.webhooks ??= [];
  const find = (id) => {
    const hook = site.webhooks.find((one) => one.id === Number(id));
    if (!hook) throw new Refused("not-found", `there is no webhook ${id}`, "see: postern webhook list");
    return hook;
  };
  const account = (name, state) => ({ name, roles: ["helpdesk"], lists: [], mail: `${name}@st-elmo.example`, state, createdAt: now(), factors: [], recoveryCodesLeft: 10 });
  return {
    "account.list": () => ({ items: [account("ada", "enabled"), account("pharmacy", "enabled"), account("former", "disabled")] }),
    "webhook.list": () => ({ items: site.webhooks, next: "" }),
    "webhook.add": ({ account: name, url }) => {
      if (!url.startsWith("https://")) throw new Refused("invalid", "this is not the address of a webhook", "give an https:// address without a name and password in it");
      if (site.webhooks.some((one) => one.account === name && one.url === url)) throw new Refused("exists", "this address is called for this account already", "see: postern webhook list");
      const hook = { id: site.webhooks.length + 1, account: name, url, state: "on", addedBy: "ada", addedAt: now(), failingSince: 0, lastAt: 0, lastAnswer: "", waiting: 0 };
      site.webhooks.push(hook);
      return { ...hook, secret: "whsec_a3Vja3VjaysgYSBzZWNyZXQgb2YgdGhlIHRlc3Q=" };
    },
    "webhook.set": ({ id, state }) => Object.assign(find(id), { state }),
    "webhook.test": ({ id }) => {
      const hook = find(id), taken = !hook.url.includes("broken");
      Object.assign(hook, { lastAt: now(), lastAnswer: taken ? "taken" : "broken.example answers 500", failingSince: taken ? 0 : now() - 30 * hour, waiting: taken ? 0 : 12 });
      return { id: hook.id, taken, answer: hook.lastAnswer };
    },
    "webhook.remove": ({ id }) => { site.webhooks = site.webhooks.filter((one) => one !== find(id)); return { id: Number(id) }; },
  };
}
