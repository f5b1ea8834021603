fn main() {
    let root = std::env::args().nth(1).unwrap();
    let root = std::path::Path::new(&root);
    let t = std::time::Instant::now();
    let mut files = ringfence::source::Files::default();
    let mut f = Vec::new();
    let inv = ringfence::inventory::load(root, &root.join("inventory"), &mut files, &mut f);
    println!("load {:?}", t.elapsed());
    let opts = ringfence::model::Options { as_of: "2026-11-25".parse().unwrap(), allow_expired: false };
    let m = ringfence::model::resolve(&inv, &Default::default(), &Default::default(), opts, &mut f);
    println!("resolve {:?}", t.elapsed());
    let mut s = ringfence::diag::Sink::new(false);
    s.extend(f);
    for d in s.into_sorted() {
        let p = files.line_col(d.primary.span);
        println!(
            "{}:{}:{} [{}] {} | {} || {:?}",
            files.path(d.primary.span.file),
            p.line,
            p.column,
            d.code,
            d.message,
            d.primary.text,
            d.help
        );
    }
    println!("{:?}", m.map(|m| (m.instances.len(), m.namespaces.len())));
}
