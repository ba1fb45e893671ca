//! Text → Design → Site: parse, resolve, rules.
