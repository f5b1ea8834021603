//! Objects with one mistake each: our own schema check and the server must agree on every one.

use ringfence::schema::Schemas;
use serde_json::{Map, Value};

use crate::client::Patch;
use crate::plane::Plane;
use crate::random::Random;
use crate::resources::describe;
use crate::runner::Verdict;
use crate::session::none;
use crate::stated::Cluster;

/// What the published schemas demand and the server fills in: 0 for the value, its own group of roles.
const STRICTER: [(&str, &str); 4] = [
    ("PriorityClass", "/value"),
    ("RoleBinding", "/roleRef/apiGroup"),
    ("ClusterRoleBinding", "/roleRef/apiGroup"),
    ("LimitRange", "/spec/limits"),
];

/// An HTTP header of a probe without a value has the empty one.
fn is_value_of_header(at: &str) -> bool {
    at.ends_with("/value") && at.contains("/httpHeaders/")
}

/// A mistake, and the JSON pointer of where it is.
#[derive(Debug)]
#[expect(dead_code, reason = "messages print it")]
enum Mistake {
    /// A field's name has a letter too much.
    Misspelt(String),
    /// A value is of another type.
    WrongType(String),
    /// A field is not there.
    Missing(String),
}

/// What came of the mistakes.
#[derive(Debug, Default)]
struct Outcome {
    /// How many both refused.
    refused: usize,
    /// How many both admitted.
    admitted: usize,
    /// How many only the server refused, for a rule that no schema states.
    rules: usize,
    /// Where they disagree.
    disagreements: Vec<String>,
}

/// Both agree on every mistake, and both have refused some and admitted some.
pub fn verdict(plane: &Plane<'_>, cluster: &Cluster, objects: &[Value], count: usize) -> Verdict {
    let seed = cluster.name.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
    let outcome = ask(plane, cluster, objects, seed, count);
    none("mistakes on which our schema and the server disagree", &outcome.disagreements)?;
    if outcome.refused == 0 || outcome.admitted == 0 {
        return Err(format!(
            "this shows nothing: {} refused, {} admitted, {} against a rule",
            outcome.refused, outcome.admitted, outcome.rules
        ));
    }
    Ok(())
}

/// Makes so many mistakes in the objects, one at a time, and asks both.
fn ask(plane: &Plane<'_>, cluster: &Cluster, objects: &[Value], seed: u64, count: usize) -> Outcome {
    let schemas = Schemas::new();
    let mut random = Random::new(seed);
    let mut outcome = Outcome::default();
    let known: Vec<&Value> = objects.iter().filter(|object| schemas.check(cluster.minor, object).is_empty()).collect();
    assert!(!known.is_empty(), "no object of {} has a schema of ours", cluster.name);
    for _ in 0..count {
        let mut object = (*pick(&known, &mut random)).clone();
        // As a new object: of one that is there already, a field that is missing stays as it was.
        object["metadata"]["name"] = "mistaken".into();
        let mistake = make(&mut object, &mut random);
        let ours = schemas.check(cluster.minor, &object);
        let path = plane.resources.path(&object).unwrap();
        let answer = plane.masters.patch(
            &format!("{path}?fieldManager=mistakes&fieldValidation=Strict&force=true&dryRun=All"),
            Patch::Apply,
            &object,
        );
        if let Mistake::Missing(at) = &mistake
            && (STRICTER.iter().any(|(kind, field)| object["kind"] == *kind && at == field) || is_value_of_header(at))
        {
            continue;
        }
        match (ours.first(), answer.is_ok()) {
            (Some(_), false) => outcome.refused += 1,
            (None, true) => outcome.admitted += 1,
            // 422 is what the server's validation says, after the object was read; then come the policies of the tree itself.
            (None, false) if answer.status == 422 || answer.message().contains("ValidatingAdmissionPolicy") => outcome.rules += 1,
            (Some(problem), true) => {
                outcome.disagreements.push(format!(
                    "{}: {mistake:?}: the server admits it, ours says {}",
                    describe(&object),
                    problem.message
                ));
            }
            (None, false) => {
                outcome.disagreements.push(format!("{}: {mistake:?}: only the server refuses it: {}", describe(&object), answer.message()));
            }
        }
    }
    outcome
}

/// Makes one mistake below an object, never in what says which object it is.
fn make(object: &mut Value, random: &mut Random) -> Mistake {
    loop {
        let mut places = Vec::new();
        maps(object, String::new(), &mut places);
        let place = pick(&places, random).clone();
        let map = object.pointer_mut(&place).and_then(Value::as_object_mut).unwrap();
        let fields: Vec<String> =
            map.keys().filter(|key| !(place.is_empty() && ["apiVersion", "kind", "metadata"].contains(&key.as_str()))).cloned().collect();
        let fields: Vec<String> =
            fields.into_iter().filter(|key| !(place == "/metadata" && ["name", "namespace"].contains(&key.as_str()))).collect();
        if fields.is_empty() {
            continue;
        }
        let field = pick(&fields, random).clone();
        let at = format!("{place}/{field}");
        return match below(random, 3) {
            0 => {
                let value = map.remove(&field).unwrap();
                map.insert(format!("{field}x"), value);
                Mistake::Misspelt(at)
            }
            1 => {
                let value = map.get_mut(&field).unwrap();
                *value = other_type(value, random);
                Mistake::WrongType(at)
            }
            _ => {
                map.remove(&field);
                Mistake::Missing(at)
            }
        };
    }
}

/// The JSON pointers of all maps in a value.
fn maps(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                maps(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }
            places.push(at);
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                maps(item, format!("{at}/{number}"), places);
            }
        }
        _ => {}
    }
}

/// A value of another type than this one.
fn other_type(value: &Value, random: &mut Random) -> Value {
    let others = [Value::from("text"), 7.into(), true.into(), Value::Array(Vec::new()), Map::new().into()];
    let others: Vec<&Value> = others.iter().filter(|other| std::mem::discriminant(*other) != std::mem::discriminant(value)).collect();
    (*pick(&others, random)).clone()
}

fn pick<'a, T>(items: &'a [T], random: &mut Random) -> &'a T {
    &items[below(random, items.len())]
}

#[expect(clippy::cast_sign_loss, reason = "no fraction is negative")]
fn below(random: &mut Random, count: usize) -> usize {
    (random.fraction() * f64::from(u32::try_from(count).unwrap())) as usize
}
