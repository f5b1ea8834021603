//! Where something of a final object was written: merged objects have no lines, the layers that they were merged of do.

use serde_json::Value;

use crate::schema::PathSegment;
use crate::source::Span;
use crate::yaml::{Node, Value as Yaml};

/// The key that tells the items of one of a pod's lists apart.
pub(in crate::model) fn identity(list: &str) -> &'static str {
    match list {
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        "ports" => "containerPort",
        "hostAliases" => "ip",
        "topologySpreadConstraints" => "topologyKey",
        _ => "name",
    }
}

/// The deepest place of a path that any layer has; of two equally deep ones the later layer's.
pub(in crate::model) fn find(path: &[PathSegment], whole: &Value, layers: &[&Node]) -> Option<Span> {
    deepest(path, whole, layers).map(|found| found.1)
}

/// The whole of what stands at the place that [`find`] finds.
pub(in crate::model) fn extent(path: &[PathSegment], whole: &Value, layers: &[&Node]) -> Option<Span> {
    deepest(path, whole, layers).map(|(_, key, value)| if key.end <= value.end { key.to(value) } else { key })
}

fn deepest(path: &[PathSegment], whole: &Value, layers: &[&Node]) -> Option<(usize, Span, Span)> {
    let places = layers.iter().filter_map(|layer| descend(path, whole, layer));
    places.reduce(|best, next| if next.0 >= best.0 { next } else { best })
}

/// A path with what identifies a list's items for their positions.
pub(in crate::model) fn keys(path: &[PathSegment], whole: &Value) -> Vec<String> {
    let (mut value, mut list) = (whole, "");
    let key = |segment: &PathSegment, item: &Value, list: &str| match segment {
        PathSegment::Key(key) => key.clone(),
        PathSegment::Index(_) => text(&item[identity(list)]),
    };
    let mut keys = Vec::new();
    for segment in path {
        value = match segment {
            PathSegment::Key(key) => &value[key.as_str()],
            PathSegment::Index(index) => &value[*index],
        };
        keys.push(key(segment, value, list));
        if let PathSegment::Key(key) = segment {
            list = key;
        }
    }
    keys
}

/// How deep a layer goes along a path, the key or item there, and its value.
fn descend(path: &[PathSegment], whole: &Value, layer: &Node) -> Option<(usize, Span, Span)> {
    let (mut value, mut node) = (whole, layer);
    let (mut deepest, mut list) = (None, "");
    for (depth, segment) in path.iter().enumerate() {
        match segment {
            PathSegment::Key(key) => {
                let Some((name, below)) = node.entry(key) else { break };
                (value, node, list) = (&value[key.as_str()], below, key);
                deepest = Some((depth, name.span, below.span));
            }
            PathSegment::Index(index) => {
                value = &value[*index];
                let Yaml::Seq(written) = &node.value else { break };
                let Some(item) = same(value, identity(list), *index, written) else { break };
                node = item;
                deepest = Some((depth, crate::decode::head(item), item.span));
            }
        }
    }
    // A list that others than this layer filled is no place of the item.
    deepest.filter(|(depth, ..)| *depth > 0 || path.len() == 1 || matches!(path.get(1), Some(PathSegment::Key(_))))
}

/// The text of a scalar, as YAML has it.
pub(in crate::model) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The item of a layer's list that became an item of the whole.
fn same<'n>(value: &Value, key: &str, index: usize, list: &'n [Node]) -> Option<&'n Node> {
    let Some(wanted) = value.get(key) else { return list.get(index) };
    let wanted = text(wanted);
    // The last of several: what is there twice is wrong at the second.
    list.iter().rev().find(|item| item.get(key).and_then(Node::text) == Some(&wanted))
}
