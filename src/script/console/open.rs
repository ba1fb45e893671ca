//! Whether what was typed goes on in the next line.

/// A brace, bracket or parenthesis, a text in backticks or a comment is open.
pub fn is_open(text: &str) -> bool {
    let mut depth = 0usize;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            // A text in quotes ends with its line; one that does not is a mistake, and nothing would mend it.
            '"' | '\'' => drop(skip(&mut letters, letter)),
            '`' if !skip(&mut letters, '`') => return true,
            '/' if letters.peek() == Some(&'/') => {
                letters.by_ref().take_while(|next| *next != '\n').for_each(drop)
            }
            '/' if letters.next_if_eq(&'*').is_some() && !skip_comment(&mut letters) => return true,
            _ => {}
        }
    }
    depth > 0
}

/// Goes behind the end of a text; false when it has none.
fn skip(letters: &mut impl Iterator<Item = char>, end: char) -> bool {
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            _ if letter == end => return true,
            _ => {}
        }
    }
    false
}

/// Comments of the language stand in one another.
fn skip_comment(letters: &mut std::iter::Peekable<impl Iterator<Item = char>>) -> bool {
    let mut depth = 1usize;
    while let Some(letter) = letters.next() {
        match letter {
            '*' if letters.next_if_eq(&'/').is_some() => depth -= 1,
            '/' if letters.next_if_eq(&'*').is_some() => depth += 1,
            _ => {}
        }
        if depth == 0 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn a_statement_ends_where_everything_is_closed() {
        for open in ["fn f(x) {", "[1,\n", "`a\nb", "/* a /* b */", "f(\"}\"", "x(') // )", "{ \"\\\"}\" "] {
            assert!(is_open(open), "{open}");
        }
        for closed in ["", "let x = 1;", "{ } }", "\"{", "// {", "f(`}${1}`)", "/* { */", "')'", "\"\\\"{\""]
        {
            assert!(!is_open(closed), "{closed}");
        }
    }
}
