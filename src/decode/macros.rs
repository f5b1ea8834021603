//! Declarations that say once what a type is, how it is read, and what an editor is told of it.

/// Declares a struct that is read from a mapping. `Option`, `Vec` and `Entries` fields may be left out, all others are required;
/// what the record is called in findings comes first. A field is written as its Rust name in camelCase, or as the literal before `=>`.
#[macro_export]
macro_rules! record {
    (
        $what:literal
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[doc = $doc:literal])* pub $field:ident $(as $key:literal)? : $type:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, schemars::JsonSchema)]
        #[schemars(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $doc])* $(#[schemars(rename = $key)])? pub $field: $type),+
        }

        impl $name {
            /// The keys of this record as they are written.
            pub fn keys() -> &'static [String] {
                static KEYS: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
                KEYS.get_or_init(|| vec![$($crate::record!(@key $field $($key)?)),+])
            }

            /// Those of them that have no default.
            pub(crate) fn required_keys() -> Vec<&'static str> {
                let required = [$(<$type as $crate::decode::Decode>::absent().is_none()),+];
                Self::keys().iter().zip(required).filter(|(_, required)| *required).map(|(key, _)| key.as_str()).collect()
            }

            /// Reads the record's own keys from a mapping that may have others.
            pub(crate) fn decode_fields(
                node: &$crate::yaml::Node,
                entries: &[($crate::yaml::Node, $crate::yaml::Node)],
                findings: &mut $crate::decode::Findings,
            ) -> Option<Self> {
                let mut keys = Self::keys().iter();
                $(let $field = $crate::decode::field::<$type>(node, entries, keys.next()?, $what, findings);)+
                Some(Self { $($field: $field?),+ })
            }
        }

        impl $crate::decode::Decode for $name {
            fn decode(node: &$crate::yaml::Node, findings: &mut $crate::decode::Findings) -> Option<Self> {
                let keys: Vec<&str> = Self::keys().iter().map(String::as_str).collect();
                let entries = $crate::decode::record(node, $what, &keys, Self::required_keys, findings)?;
                if $crate::decode::unknown_keys(entries, &keys, $what, findings) {
                    return None;
                }
                Self::decode_fields(node, entries, findings)
            }
        }
    };
    (@key $field:ident $key:literal) => { $key.to_owned() };
    (@key $field:ident) => { $crate::decode::camel_case(stringify!($field)) };
}

/// Declares an enum that is read from one of a few words.
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[doc = $doc:literal])* $variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, schemars::JsonSchema)]
        pub enum $name { $($(#[doc = $doc])* #[schemars(rename = $word)] $variant),+ }

        impl $name {
            /// All words, in the order of the declaration.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value that a word stands for.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl $crate::decode::Decode for $name {
            fn decode(node: &$crate::yaml::Node, findings: &mut $crate::decode::Findings) -> Option<Self> {
                let word = $crate::decode::text(node, findings)?;
                let value = Self::from_word(word);
                if value.is_none() {
                    findings.push($crate::decode::not_one_of(node, word, Self::WORDS));
                }
                value
            }
        }
    };
}

/// Declares a type whose text has a grammar: `parse` says what is wrong in a sentence, and the finding has the given code.
#[macro_export]
macro_rules! text_type {
    (
        $(#[$meta:meta])*
        pub struct $name:ident; $code:ident, $example:literal, $scalar:ident, $parse:expr
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Reads the text; the error is a sentence about the rule that it breaks.
            pub fn new(text: &str) -> Result<Self, String> {
                let parse: fn(&str) -> Result<(), String> = $parse;
                parse(text).map(|()| Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The finding that a text breaks the rule that [`Self::new`] named.
            pub fn broken(span: $crate::source::Span, rule: String) -> $crate::diag::Diag {
                let diag = $crate::diag::Diag::new($crate::diag::Code::$code, span, rule);
                diag.help(concat!("An example: `", $example, "`."))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::decode::Decode for $name {
            fn decode(node: &$crate::yaml::Node, findings: &mut $crate::decode::Findings) -> Option<Self> {
                let text = $crate::decode::$scalar(node, findings)?;
                match Self::new(text) {
                    Ok(value) => Some(value),
                    Err(rule) => {
                        findings.push(Self::broken(node.span, rule));
                        None
                    }
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": $crate::decode::schema_types(stringify!($scalar)), "examples": [$example] })
            }
        }
    };
}
