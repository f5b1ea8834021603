//! What templates see: a few named values, shared between the objects that see the same ones.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

/// A value of a view, converted for each engine once however many objects see it.
pub struct ViewValue {
    json: Value,
    jinja: OnceLock<minijinja::Value>,
    tera: OnceLock<tera::Value>,
    size: OnceLock<usize>,
}

impl ViewValue {
    /// Takes a value; the engines' forms are made when they are first needed.
    pub fn new(json: Value) -> Arc<Self> {
        Arc::new(Self { json, jinja: OnceLock::new(), tera: OnceLock::new(), size: OnceLock::new() })
    }

    /// The value itself.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// How large it is, about: the bytes of its texts, and sixteen for each item.
    fn size(&self) -> usize {
        fn size(value: &Value) -> usize {
            16 + match value {
                Value::String(text) => text.len(),
                Value::Array(items) => items.iter().map(size).sum(),
                Value::Object(entries) => entries.iter().map(|(key, item)| key.len() + size(item)).sum(),
                _ => 0,
            }
        }
        *self.size.get_or_init(|| size(&self.json))
    }

    /// The value for `MiniJinja`.
    pub(super) fn jinja(&self) -> &minijinja::Value {
        self.jinja.get_or_init(|| minijinja::Value::from(minijinja::value::Serde(&self.json)))
    }

    /// The value for Tera.
    pub(super) fn tera(&self) -> &tera::Value {
        self.tera.get_or_init(|| tera::Value::from_serializable(&self.json))
    }
}

impl fmt::Debug for ViewValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.json.fmt(f)
    }
}

/// What one object's template sees.
#[derive(Clone, Debug, Default)]
pub struct View {
    values: Vec<(&'static str, Arc<ViewValue>)>,
}

impl View {
    /// Every name that a view may hold. Which of them an object sees follows from the scope of its kind; `item` and `index` are those of
    /// `forEach`.
    pub const NAMES: [&'static str; 14] = [
        "fleet",
        "tier",
        "cluster",
        "bootstrap",
        "pool",
        "namespace",
        "workload",
        "gateway",
        "argocd",
        "contents",
        "units",
        "appliers",
        "item",
        "index",
    ];

    /// A view of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same view with one more value, or another one under a name that it has.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Arc<ViewValue>) -> Self {
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.values.push((name, value)),
        }
        self
    }

    /// The view of a mapping: for cases, which state theirs in a file. `None` where a name is none of [`View::NAMES`].
    pub fn from_json(json: Value) -> Option<Self> {
        let Value::Object(entries) = json else { return None };
        let mut view = Self::new();
        for (name, value) in entries {
            let name = Self::NAMES.into_iter().find(|known| *known == name)?;
            view = view.with(name, ViewValue::new(value));
        }
        Some(view)
    }

    /// One of its values.
    pub fn get(&self, name: &str) -> Option<&Arc<ViewValue>> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Names and values, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Arc<ViewValue>)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    /// How large all of it is, about.
    pub(super) fn size(&self) -> usize {
        self.values.iter().map(|(_, value)| value.size()).sum()
    }
}
