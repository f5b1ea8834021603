//! A mapping whose keys a person chose.

use super::{Decode, Findings, mapping};
use crate::source::Spanned;
use crate::yaml::read::Node;

/// A mapping with keys of the user's choice, in the order they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Entries<T> {
    /// The value at a key.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.0.iter().find(|(k, _)| k.value == key).map(|(_, value)| value)
    }

    /// Keys and values in the order they were written.
    pub fn iter(&self) -> std::slice::Iter<'_, (Spanned<String>, T)> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Clone> Entries<T> {
    /// The entries of `self` with those of `over` put over them: an equal key is replaced where it stands, a new one comes last.
    #[must_use]
    pub fn overlaid(&self, over: &Self) -> Self {
        let mut merged = self.clone();
        for (key, value) in &over.0 {
            match merged.0.iter_mut().find(|(existing, _)| existing.value == key.value) {
                Some(entry) => *entry = (key.clone(), value.clone()),
                None => merged.0.push((key.clone(), value.clone())),
            }
        }
        merged
    }
}

impl<'a, T> IntoIterator for &'a Entries<T> {
    type Item = &'a (Spanned<String>, T);
    type IntoIter = std::slice::Iter<'a, (Spanned<String>, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Decode> Decode for Entries<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let entries = mapping(node, findings)?;
        let decoded: Vec<Option<_>> = entries
            .iter()
            .map(|(key, value)| {
                let key = Spanned::new(key.text().unwrap_or_default().to_owned(), key.span);
                Some((key, T::decode(value, findings)?))
            })
            .collect();
        decoded.into_iter().collect::<Option<Vec<_>>>().map(Self)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        std::collections::BTreeMap::<String, T>::json_schema(generator)
    }
}
