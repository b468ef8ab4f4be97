//! A flame graph in one SVG file: who called whom, as wide as it took time. Pure.
//!
//! Callers are below what they call; names that do not fit are told by the mouse.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

const WIDTH: f64 = 1200.0;
const ROW: f64 = 17.0;
const TOP: f64 = 34.0;
/// What is narrower is left out.
const WIDTH_MIN: f64 = 0.4;
/// About what a letter takes.
const LETTER: f64 = 6.6;

/// A function, and what it called.
#[derive(Default)]
struct Node {
    looks: u64,
    called: BTreeMap<String, Node>,
}

/// A graph of stacks, outermost function first, and how often each was seen; `rate` looks
/// make a second.
pub(super) fn draw(stacks: &HashMap<Vec<String>, u64>, rate: u32) -> String {
    let mut root = Node::default();
    for (stack, looks) in stacks {
        root.looks += looks;
        let mut node = &mut root;
        for name in stack {
            node = node.called.entry(name.clone()).or_default();
            node.looks += looks;
        }
    }
    let scale = WIDTH / root.looks.max(1) as f64;
    let depth = depth(&root, scale);
    let height = TOP + depth as f64 * ROW + 8.0;
    let seconds = root.looks as f64 / f64::from(rate);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"ui-monospace, monospace\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"6\" y=\"20\" font-size=\"13\">{seconds:.1} s of processor time in {} looks; \
         width is time, callers are below</text>\n",
        root.looks
    );
    let mut left = 0.0;
    for (name, node) in &root.called {
        add(
            &mut svg,
            name,
            node,
            left,
            height - ROW - 4.0,
            scale,
            root.looks,
        );
        left += node.looks as f64 * scale;
    }
    svg.push_str("</svg>\n");
    svg
}

/// Rows that are drawn above `node`.
fn depth(node: &Node, scale: f64) -> usize {
    let drawn = node
        .called
        .values()
        .filter(|called| is_drawn(called, scale));
    drawn
        .map(|called| 1 + depth(called, scale))
        .max()
        .unwrap_or(0)
}

fn is_drawn(node: &Node, scale: f64) -> bool {
    node.looks as f64 * scale >= WIDTH_MIN
}

fn add(svg: &mut String, name: &str, node: &Node, left: f64, top: f64, scale: f64, all: u64) {
    if !is_drawn(node, scale) {
        return;
    }
    let width = node.looks as f64 * scale;
    let share = 100.0 * node.looks as f64 / all as f64;
    let escaped = escape(name);
    let fits = (width / LETTER) as usize;
    let shown = if name.chars().count() <= fits {
        escaped.clone()
    } else if fits > 3 {
        let start: String = name.chars().take(fits - 1).collect();
        format!("{}…", escape(&start))
    } else {
        String::new()
    };
    writeln!(
        svg,
        "<g><title>{escaped}: {share:.1} %</title><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" \
         height=\"{:.1}\" rx=\"2\" fill=\"{}\" stroke=\"#fff\" stroke-width=\"0.5\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{shown}</text></g>",
        ROW - 1.0,
        colour(name),
        left + 3.0,
        top + 12.0,
    )
    .expect("a string takes what is written to it");
    let mut left = left;
    for (name, called) in &node.called {
        add(svg, name, called, left, top - ROW, scale, all);
        left += called.looks as f64 * scale;
    }
}

/// A warm one, always the same for a function.
fn colour(name: &str) -> String {
    let hash = name.bytes().fold(0_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    format!("hsl({} {}% 70%)", hash % 50, 65 + hash / 50 % 30)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_shares_and_names_are_safe() {
        let stack = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let stacks = HashMap::from([
            (stack(&["main", "decode"]), 75),
            (stack(&["main", "Vec<u8>::push"]), 25),
        ]);
        let svg = draw(&stacks, 100);
        assert!(
            svg.contains("1.0 s of processor time in 100 looks"),
            "{svg}"
        );
        assert!(
            svg.contains("<title>main: 100.0 %</title><rect x=\"0.0\""),
            "{svg}"
        );
        let pushed = "<title>Vec&lt;u8&gt;::push: 25.0 %</title><rect x=\"0.0\"";
        assert!(svg.contains(pushed), "{svg}");
        let decoded = "<title>decode: 75.0 %</title><rect x=\"300.0\"";
        assert!(svg.contains(decoded), "{svg}");
        assert!(svg.contains("width=\"900.0\""), "{svg}");
        assert_eq!(svg.matches("<g>").count(), svg.matches("</g>").count());
    }

    #[test]
    fn what_nobody_could_see_is_left_out_and_nothing_is_a_picture_too() {
        let stack = |name: &str| vec![name.to_owned()];
        let stacks = HashMap::from([(stack("all"), 1_000_000), (stack("hardly"), 1)]);
        assert!(!draw(&stacks, 99).contains("hardly"));
        assert!(draw(&HashMap::new(), 99).contains("0.0 s of processor time"));
    }
}
