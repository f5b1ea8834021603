use ringfence::source::Files;
use ringfence::tree::*;
fn tree(n: usize, size: usize, salt: &str) -> Tree {
    let mut f = Files::default();
    let id = f.add("a", "");
    let mut t = Tree::new();
    for i in 0..n {
        let text = format!("# {i} {salt}\n") + &"x".repeat(size);
        t.insert(
            TreePath::parse(format!("clusters/c{}/w{i}.yaml", i % 7)).unwrap(),
            FileContent { text, owner: "o".into(), origin: f.start(id) },
        );
    }
    t
}
fn go(root: &std::path::Path, t: &Tree) {
    let hold = Exclusive::take(root).unwrap();
    let r = read(root).unwrap();
    let delta = compare(t, &r, root).unwrap();
    println!("interrupted {} refusals {}", delta.interrupted, delta.refusals(false).count());
    match write(&hold, t, &delta, &Options::default()) {
        Ok(s) => println!("{s:?}"),
        Err(e) => println!("{e}\n  {}", e.help()),
    }
    let d = compare(t, &read(root).unwrap(), root).unwrap();
    println!("  clean: {}", d.is_up_to_date());
}
fn main() {
    let root = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    go(&root, &tree(100, 9000, "a"));
    go(&root, &tree(100, 9000, "b"));
    go(&root, &tree(100, 9000, "b"));
    std::fs::remove_file(root.with_file_name("ballast")).ok();
    go(&root, &tree(100, 9000, "a"));
    go(&root, &tree(100, 9000, "b"));
    go(&root, &tree(300, 9000, "c"));
    go(&root, &tree(10, 9000, "c"));
}
