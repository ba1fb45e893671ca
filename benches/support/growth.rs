//! How fast something grows.

/// The exponent with which `values` grew between two sizes.
pub fn growth(sizes: (usize, usize), values: (f64, f64)) -> f64 {
    (values.1 / values.0).ln() / (sizes.1 as f64 / sizes.0 as f64).ln()
}
