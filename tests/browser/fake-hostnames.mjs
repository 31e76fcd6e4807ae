// The orders about other names of the server, as listd answers them.
export function hostnameOrders(site, Refused) {
  site.hostnames ??= [];
  const brief = ({ networks, days, ...rest }) => rest;
  return {
    "hostname.list": () => ({ items: site.hostnames.map(brief), next: "" }),
    "hostname.show": ({ name }) => {
      const found = site.hostnames.find((one) => one.name === name);
      if (!found) throw new Refused("not-found", `this server has no other name ${name}`, "see: postern hostname list");
      return found;
    },
  };
}
