//! The table that the bench prints.
//!
//! Owns: its rows. Accepts: one figure a way. Emits: a Markdown table. Promises: each figure stands
//! beside its ratio to the first way.

use std::time::Duration;

/// Four ways, side by side.
pub(crate) struct Table {
    rows: Vec<[String; 5]>,
}

impl Table {
    pub(crate) fn new(name: &str, ways: [String; 4]) -> Self {
        let [one, two, three, four] = ways;
        let line = ["---", "---:", "---:", "---:", "---:"].map(str::to_owned);
        Self { rows: vec![[name.to_owned(), one, two, three, four], line] }
    }

    pub(crate) fn times(&mut self, name: &str, times: [Duration; 4]) {
        let figures = times.map(|time| time.as_secs_f64());
        self.row(name, figures, |seconds| {
            if seconds < 0.001 {
                format!("{:.0} µs", seconds * 1e6)
            } else {
                format!("{:.2} ms", seconds * 1e3)
            }
        });
    }

    pub(crate) fn rates(&mut self, name: &str, rates: [f64; 4]) {
        self.row(name, rates, |rate| format!("{rate:.0}"));
    }

    pub(crate) fn memory(&mut self, name: &str, bytes: [Option<u64>; 4]) {
        let cell = |bytes: Option<u64>| match bytes {
            #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
            Some(bytes) => format!("{:.2} MiB", bytes as f64 / f64::from(1 << 20)),
            None => "–".to_owned(),
        };
        let [one, two, three, four] = bytes.map(cell);
        self.rows.push([name.to_owned(), one, two, three, four]);
    }

    #[expect(clippy::print_stdout, reason = "the table is what the bench is for")]
    pub(crate) fn print(&self) {
        let widths = [0, 1, 2, 3, 4].map(|column| {
            self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
        });
        for row in &self.rows {
            let cells: Vec<String> =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            println!("| {} |", cells.join(" | "));
        }
        println!();
    }

    fn row(&mut self, name: &str, figures: [f64; 4], show: impl Fn(f64) -> String) {
        let [first, ..] = figures;
        let cell = |figure: f64| format!("{} ({:.2} ×)", show(figure), figure / first);
        let [_, two, three, four] = figures.map(cell);
        self.rows.push([name.to_owned(), show(first), two, three, four]);
    }
}
