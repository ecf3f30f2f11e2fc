//! Texts to vectors.

use mortise_sdk::chat::Usage;
use mortise_sdk::provider::{EmbedRequest, ErrorKind, Operation, Output};
use mortise_sdk::testing::Run;

use crate::client::Echo;
use crate::vectors::of;

fn embed(inputs: &[&str], dimensions: Option<u32>) -> Run {
    let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
    let request = EmbedRequest { model: "echo".into(), inputs, dimensions, user: None, extra: vec![] };
    Run::new::<Echo>(Operation::Embed(request), "{}")
}

fn cosine(a: &str, b: &str) -> f32 {
    of(a, 64).iter().zip(of(b, 64)).map(|(a, b)| a * b).sum()
}

#[test]
fn vectors_come_in_order_and_with_usage() {
    let run = embed(&["a b", "c"], None);
    assert!(run.finished());
    let sizes: Vec<_> = run
        .outputs()
        .iter()
        .filter_map(
            |output| if let Output::Vector(vector) = output { Some((vector.index, vector.values.len())) } else { None },
        )
        .collect();
    assert_eq!(sizes, [(0, 16), (1, 16)]);
    assert_eq!(run.outputs()[2], Output::Usage(Usage { input: 3, ..Usage::default() }));
}

#[test]
fn the_number_of_dimensions_is_respected() {
    let run = embed(&["a"], Some(3));
    assert!(matches!(&run.outputs()[0], Output::Vector(vector) if vector.values.len() == 3));
    for wrong in [0, 4097] {
        assert_eq!(embed(&["a"], Some(wrong)).error().unwrap().kind, ErrorKind::InvalidRequest);
    }
}

#[test]
fn vectors_are_as_long_as_one_and_tell_texts_apart() {
    for text in ["a", "some longer text", "", "日本"] {
        let length: f32 = of(text, 16).iter().map(|number| number * number).sum();
        assert!((length - 1.0).abs() < 1e-5, "{text}: {length}");
    }
    assert!(cosine("the cat sat", "The CAT slept") > cosine("the cat sat", "quantum field theory"));
    assert!((cosine("a b", "b a") - 1.0).abs() < 1e-5);
    // The rule is documented, so a change of it is a break.
    assert_eq!(of("hello", 2), of("Hello", 2));
}
