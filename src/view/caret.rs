//! A line of a person's text with the part that is meant underlined.

/// Characters of the text that are shown; a longer text is cut around the part.
const WIDTH: usize = 72;
/// Characters that are shown before the part in a text that is cut.
const BEFORE: usize = 24;
const MARGIN: &str = "    ";

/// Two lines: the text, and carets under `length` bytes from `offset`, at least one.
pub fn under(text: &str, offset: usize, length: usize) -> String {
    let place = |offset: usize| text.char_indices().take_while(|(at, _)| *at < offset).count();
    let (first, end) = (place(offset), place(offset.saturating_add(length)));
    let start = if text.chars().count() > WIDTH { first.saturating_sub(BEFORE) } else { 0 };
    let line: String = text
        .chars()
        .skip(start)
        .take(WIDTH)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    let (ahead, behind) = (start > 0, text.chars().count() > start + WIDTH);
    let dots = |cut: bool| if cut { "…" } else { "" };
    let indent = " ".repeat(first - start + usize::from(ahead));
    let carets = "^".repeat(end.saturating_sub(first).clamp(1, (start + WIDTH).saturating_sub(first).max(1)));
    format!("{MARGIN}{}{line}{}\n{MARGIN}{indent}{carets}", dots(ahead), dots(behind))
}

#[cfg(test)]
mod tests {
    use super::under;

    #[test]
    fn carets_stand_under_the_part() {
        assert_eq!(under("rack:r1 & tga:x", 10, 4), "    rack:r1 & tga:x\n              ^^^^");
        assert_eq!(under("é & \n(", 6, 1), "    é &  (\n         ^");
        assert_eq!(under("", 0, 0), "    \n    ^");
        assert_eq!(under("a &", 3, 9), "    a &\n       ^");
    }

    #[test]
    fn a_long_text_is_cut_around_the_part() {
        let text = format!("{}x{}", "ä".repeat(500), "b".repeat(500));
        let shown = under(&text, 1000, 1);
        let (line, carets) = shown.split_once('\n').unwrap();
        let at = carets.chars().position(|character| character == '^').unwrap();
        assert_eq!(line.chars().nth(at), Some('x'));
        assert!(line.starts_with("    …ä") && line.ends_with("b…"));
        assert!(under(&text, 0, 1001).lines().all(|line| line.chars().count() < 90));
    }
}
