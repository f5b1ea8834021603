//! Addresses of the fleet itself: a flow to or from something outside must not reach any of them, or it would be a way around a gateway
//! (SP 800-190 4.3.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::formats::{Address, Cidr};
use crate::inventory::Inventory;
use crate::model::Clusters;
use crate::source::{Span, Spanned};

/// Where clouds answer a machine, or a pod on it, with the machine's own credentials (NSA: block cloud metadata).
pub const METADATA: [IpNet; 3] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 169, 254), 32)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128)),
];

/// Addresses that are known on one link alone: those of the node, and of the metadata service.
const LINK_LOCAL: [IpNet; 2] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10)),
];

/// A range of the fleet's own.
#[derive(Clone, Debug)]
pub struct Own {
    /// The range.
    pub range: IpNet,
    /// What it is of.
    pub what: String,
    /// Where it is stated; nowhere, for what every machine has.
    pub stated: Option<Span>,
}

/// The fleet's own addresses.
#[derive(Debug)]
pub struct Ranges {
    /// What no flow to something outside may reach.
    pub destinations: Vec<Own>,
    /// What no flow from outside may come from.
    sources: Vec<IpNet>,
}

impl Ranges {
    /// Those of every cluster and listener.
    pub fn of(inventory: &Inventory, clusters: &Clusters<'_>) -> Self {
        let mut destinations = Vec::new();
        let mut sources = Vec::new();
        for range in METADATA {
            destinations.push(Own { range, what: "the metadata service".to_owned(), stated: None });
        }
        for range in LINK_LOCAL {
            destinations.push(Own { range, what: "the node itself".to_owned(), stated: None });
            sources.push(range);
        }
        for host in &clusters.all {
            let network = &host.raw.network;
            let mut add = |what: &str, range: &Spanned<Cidr>| {
                let what = format!("the {what} of `{}`", host.raw.name.value);
                destinations.push(Own { range: range.net(), what, stated: Some(range.span) });
                sources.push(range.net());
            };
            network.pods.iter().for_each(|range| add("pods", range));
            network.services.iter().for_each(|range| add("Services", range));
            network.nodes.iter().for_each(|range| add("nodes", range));
            sources.extend(network.egress.iter().flat_map(|ranges| ranges.iter()).map(|range| range.net()));
        }
        for gateway in &inventory.gateways {
            for (cluster, listener) in &gateway.listen {
                let what = format!("the listener of the gateway `{}` on `{}`", gateway.name.value, cluster.value);
                destinations.push(Own { range: one(&listener.address), what, stated: Some(listener.address.span) });
            }
        }
        Self { destinations, sources }
    }

    /// What of the fleet holds the whole of a range.
    pub fn holding(&self, range: &IpNet) -> Option<&Own> {
        self.destinations.iter().find(|own| own.range.contains(range))
    }

    /// What to leave out of a range that a flow goes to.
    pub fn except_to(&self, range: &IpNet) -> Vec<IpNet> {
        within(range, self.destinations.iter().map(|own| own.range))
    }

    /// What to leave out of a range that a flow comes from.
    pub fn except_from(&self, range: &IpNet) -> Vec<IpNet> {
        within(range, self.sources.iter().copied())
    }
}

/// The range of one address.
pub fn one(address: &Address) -> IpNet {
    of_address(address.ip())
}

/// The range of one address.
pub fn of_address(address: IpAddr) -> IpNet {
    IpNet::from(address)
}

/// Every address of a family.
pub fn everything(ipv4: bool) -> IpNet {
    if ipv4 { IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)) } else { IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0)) }
}

/// Those of `candidates` that lie within a range, joined where they touch, sorted.
fn within(range: &IpNet, candidates: impl Iterator<Item = IpNet>) -> Vec<IpNet> {
    let inside: Vec<IpNet> = candidates.filter(|own| range.contains(own) && own != range).collect();
    let joined = IpNet::aggregate(&inside);
    // Two halves of the whole would join to it, and the API server takes only what is smaller.
    let mut except = if joined.contains(range) { inside } else { joined };
    except.sort();
    except.dedup();
    except
}

#[cfg(test)]
mod tests {
    use super::{everything, within};

    fn nets(texts: &[&str]) -> Vec<ipnet::IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn exceptions_are_smaller_than_the_range_and_disjoint() {
        let own = nets(&["10.42.0.0/16", "10.43.0.0/16", "10.42.7.0/24", "192.0.2.1/32", "fd00::/64"]);
        assert_eq!(within(&everything(true), own.iter().copied()), nets(&["10.42.0.0/15", "192.0.2.1/32"]));
        assert_eq!(within(&"10.42.0.0/16".parse().unwrap(), own.iter().copied()), nets(&["10.42.7.0/24"]));
        let halves = nets(&["10.0.0.0/9", "10.128.0.0/9"]);
        assert_eq!(within(&"10.0.0.0/8".parse().unwrap(), halves.iter().copied()), halves);
    }
}
