//! Medians, ratios and slopes, and how they are written.

/// The middle of some values; none of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// The slope of the straight line through points that is nearest to them by least squares; none
/// where they have less than two places.
pub fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (middle_x, middle_y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|(x, _)| (x - middle_x).powi(2)).sum();
    let together: f64 = points.iter().map(|(x, y)| (x - middle_x) * (y - middle_y)).sum();
    (spread > 0.0).then(|| together / spread)
}

/// How often one value goes into another, as people read it.
pub fn times(large: f64, small: f64) -> String {
    let ratio = large / small;
    if !ratio.is_finite() {
        return "–".to_owned();
    }
    if ratio >= 10.0 {
        format!("{ratio:.0} ×")
    } else {
        format!("{ratio:.1} ×")
    }
}

/// Seconds with three digits that say something.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 100.0 => format!("{seconds:.0} s"),
        seconds if seconds >= 10.0 => format!("{seconds:.1} s"),
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 0.1 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{:.1} ms", seconds * 1e3),
    }
}
