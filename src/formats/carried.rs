//! Text that outlives a build: kustomize reads a tree and writes it anew, and what it then writes must be read again. Found by building: every
//! character in nine places, and ten thousand strings (`tests/strings.rs`).

/// How many characters readers of YAML look at before a key's colon.
const LONGEST_KEY: usize = 1024;

/// Whether kustomize carries every character of a text. It makes a space of U+0085, and refuses to build what holds another of the controls beyond
/// ASCII's first 32, or U+FFFE or U+FFFF, in whatever way they are written. The error is a sentence.
pub fn check_carried(text: &str) -> Result<(), String> {
    if text.bytes().all(|byte| byte < 0x7f) {
        return Ok(());
    }
    match text.chars().find(|c| matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')) {
        Some(c) => Err(format!("the text holds U+{:04X}, which kustomize does not carry", u32::from(c))),
        None => Ok(()),
    }
}

/// Whether a key is short enough to be one where kustomize has written it as Go writes JSON. The error is a sentence.
pub fn check_carried_key(text: &str) -> Result<(), String> {
    let written = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => 6,
        _ => 1,
    };
    if text.len() * 6 + 2 <= LONGEST_KEY || text.chars().map(written).sum::<usize>() + 2 <= LONGEST_KEY {
        return Ok(());
    }
    let length = text.chars().count();
    Err(format!(
        "a key of {length} characters, and kustomize reads no more than {LONGEST_KEY} before the colon, quotes and escapes among them"
    ))
}

/// Whether an annotation's value can be built: kustomize writes annotations anew, and cannot read what it writes for a text of several lines that
/// begins with a tab. The error is a sentence.
pub fn check_annotation(text: &str) -> Result<(), String> {
    if text.starts_with('\t') && text.contains('\n') {
        return Err("an annotation of several lines that begins with a tab cannot be built by kustomize".to_owned());
    }
    Ok(())
}

/// What to do about a text that cannot be carried.
pub const NOT_CARRIED: &str = "Leave out or shorten what kustomize does not carry; where just these bytes are meant, keep them in base64.";
