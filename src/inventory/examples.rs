//! Examples of keys whose type is a grammar for many things: a DNS name is a class, a Secret or an API group, and no one example is true of all of them.

use serde_json::{Value, json};

/// Types that say too little of what stands in a key for an example of their own.
const GENERAL: [&str; 3] = ["DnsSubdomain", "Quantity", "Url"];

/// Record, key and what may stand there.
const EXAMPLES: [(&str, &str, &str); 17] = [
    ("Claim", "size", "10Gi"),
    ("Cluster", "environment", "production"),
    ("Cni", "encryptionSecret", "cilium-ipsec-keys"),
    ("Dns", "domain", "cluster.local"),
    ("EmptyDir", "sizeLimit", "64Mi"),
    ("Expose", "class", "nginx"),
    ("Expose", "tls", "carts-certificate"),
    ("Fleet", "labelDomain", "tier.acme.example"),
    ("Ingress", "class", "nginx"),
    ("Identity", "issuer", "https://login.acme.example"),
    ("Infrastructure", "apiGroup", "infrastructure.cluster.x-k8s.io"),
    ("Kms", "endpoint", "unix:///run/kms/plugin.sock"),
    ("Repository", "secret", "fleet-repository"),
    ("Repository", "url", "https://git.acme.example/platform/fleet.git"),
    ("Resources", "cpu", "100m"),
    ("Resources", "ephemeral-storage", "1Gi"),
    ("Resources", "memory", "256Mi"),
];

/// Puts the examples of keys in a JSON Schema in the place of those of their types.
pub(super) fn put(schema: &mut Value) {
    let Some(records) = schema.get_mut("$defs").and_then(Value::as_object_mut) else { return };
    for name in GENERAL {
        if let Some(general) = records.get_mut(name).and_then(Value::as_object_mut) {
            general.remove("examples");
        }
    }
    for (record, key, example) in EXAMPLES {
        let property = records.get_mut(record).and_then(|record| record.get_mut("properties")?.get_mut(key)?.as_object_mut());
        if let Some(property) = property {
            property.insert("examples".to_owned(), json!([example]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EXAMPLES, GENERAL};

    #[test]
    fn every_example_is_of_a_key_that_there_is() {
        let schema = crate::inventory::json_schema();
        for (record, key, example) in EXAMPLES {
            assert_eq!(schema["$defs"][record]["properties"][key]["examples"][0], example, "{record}.{key}");
        }
        for name in GENERAL {
            assert!(schema["$defs"][name].is_object(), "{name}");
        }
    }
}
