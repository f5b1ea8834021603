//! What a message quotes, cut to a length that a person reads: a key of four megabytes is no less wrong when its beginning alone is shown.

/// The longest quotation: a little more than the longest name that Kubernetes takes, so that no name is ever cut.
const QUOTED: usize = 260;
/// The longest text between quotations. Ours are shorter; an unpaired backquote in what is quoted swaps the two.
const PLAIN: usize = 4000;
/// The longest message.
const WHOLE: usize = 10_000;

/// The text with every quotation between backquotes cut to its beginning where it is too long.
pub(super) fn cut(text: String) -> String {
    if text.len() <= QUOTED {
        return text;
    }
    let part = |(at, part): (usize, &str)| abridged(part, if at % 2 == 1 { QUOTED } else { PLAIN });
    let parts: Vec<String> = text.split('`').take(WHOLE).enumerate().map(part).collect();
    abridged(&parts.join("`"), WHOLE)
}

/// The same for a next step, which may hold a command that has to stay whole.
pub(super) fn cut_help(text: String) -> String {
    if text.len() <= PLAIN { text } else { cut(text) }
}

/// At most so many characters of a text; three dots stand for the rest.
fn abridged(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{QUOTED, cut};

    #[test]
    fn a_quotation_is_cut_and_what_is_around_it_stays() {
        let long = "é".repeat(1_000_000);
        let text = cut(format!("a tier has no key `{long}` of this `kind`"));
        assert_eq!(text, format!("a tier has no key `{}...` of this `kind`", "é".repeat(QUOTED)));
    }

    #[test]
    fn names_and_images_stay_whole() {
        let image = format!("registry.example.com/{}@sha256:{}", "a".repeat(160), "0".repeat(64));
        let text = format!("`{image}` is outside the registries of the tier `{}`, and more words to make it long", "t".repeat(63));
        assert_eq!(cut(text.clone()), text);
    }

    #[test]
    fn no_text_is_endless_whatever_it_quotes() {
        assert!(cut(format!("`{}` and `{}`", "`".repeat(1_000_001), "x".repeat(1_000_000))).len() < 20_000);
    }
}
