//! Pages as text.

use mortise_sdk::tool::fetch::Url;

use crate::html::{Token, read, tokens};

fn markdown(html: &str) -> String {
    read(html, &Url::parse("https://a.example/d/").unwrap(), true).text
}

#[test]
fn elements_become_markdown() {
    for (html, text) in [
        ("<p>one\n  two</p><p>three", "one two\n\nthree"),
        ("<h2>A <a href=x>b</a></h2>c", "## A [b](https://a.example/d/x)\n\nc"),
        ("a<br>b<hr>c", "a\nb\n\n---\n\nc"),
        (
            "<ul><li>one<li>two<ul><li>in</ul><li><p>three</p><p>more</p></ul>end",
            "- one\n- two\n  - in\n- three\n\n  more\n\nend",
        ),
        ("<ol start=9><li>nine</li><li>ten</li></ol>", "9. nine\n10. ten"),
        ("<blockquote><p>a</p><p>b</p></blockquote>c", "> a\n>\n> b\n\nc"),
        ("x<blockquote>a<ul><li>b</ul></blockquote>", "x\n\n> a\n>\n> - b"),
        ("<pre><code>if a:\n    b &lt; c\n</code></pre>", "```\nif a:\n    b < c\n```"),
        ("x <code>a  b</code> <em>c</em> <strong>d</strong>.", "x `a b` *c* **d**."),
        (
            "<table><tr><th>a<th>b</tr><tr><td>1</td><td><p>2</p></td></tr></table>",
            "| a | b |\n| --- | --- |\n| 1 | 2 |",
        ),
        ("<img alt='a cat' src=x><img src=y>", "[image: a cat]"),
        ("<a href=x></a><a href='#top'>up</a> <a href='javascript:x()'>js</a>", "up js"),
        ("a &lt; b &amp;&amp; c &copy; &#8212; &#x41; &unknown;", "a < b && c © — A &unknown;"),
        ("1 < 2 and <3", "1 < 2 and <3"),
        ("<a href=x><div>block</div><div>in link</div></a>", "[block in link](https://a.example/d/x)"),
        ("<p hidden>no</p><p aria-hidden=true>no</p><svg><title>no</title></svg>yes", "yes"),
        ("<base href=/b/><a href=c>d</a>", "[d](https://a.example/b/c)"),
    ] {
        assert_eq!(markdown(html), text, "{html}");
    }
}

#[test]
fn the_main_part_is_taken() {
    let long = "word ".repeat(60);
    let around =
        |inner: &str| format!("<header>Head</header><nav>Way</nav>{inner}<aside>Side</aside><footer>Foot</footer>");
    let shown = long.trim_end();
    assert_eq!(markdown(&around(&format!("<div>x</div><main>{long}<nav>no</nav></main>"))), shown);
    assert_eq!(markdown(&around(&format!("<div>x</div><article>{long}</article>"))), shown);
    // Several articles are a list of them.
    assert_eq!(markdown(&around(&format!("<article>{long}</article><article>b</article>"))), format!("{shown}\n\nb"));
    assert_eq!(markdown(&around(&format!("<div>{long}</div>"))), shown);
    // Little else there: then everything.
    assert_eq!(markdown(&around("<main>short</main>")), "Head\n\nWay\n\nshort\n\nSide\n\nFoot");
    assert_eq!(markdown("<form><p>only a form"), "only a form");
}

#[test]
fn broken_pages_are_read_as_far_as_they_go() {
    for (html, text) in [
        ("<p>a<!-- comment <b> --> b<!-- open", "a b"),
        ("a<script>if (a < b) document.write('</p>')</script>b", "ab"),
        ("a<script>never closed", "a"),
        ("<p class=\"x>y\" data-z='<'>a</p>", "a"),
        ("<p a=1 b c=\"\" =d>a", "a"),
        ("<![CDATA[a < b]]> <?php no ?><!doctype x>c", "a < b c"),
        ("</p></li></ul></blockquote></a></td></pre>a", "a"),
        ("<style>p {}</STYLE >a", "a"),
        ("<textarea>no</textarea><TITLE>no</TITLE>", "no"),
        ("<p", ""),
        ("<a href='x", ""),
        ("<b>a</b", "**a**"),
    ] {
        assert_eq!(markdown(html), text, "{html}");
    }
    let deep = format!("{}deep{}", "<blockquote>".repeat(10_000), "<ul><li>".repeat(10_000));
    assert!(markdown(&deep).ends_with("deep"));
}

#[test]
fn attributes_are_read_as_browsers_read_them() {
    let all = tokens("<A HREF = 'a&amp;b' title=c/d checked>x</A>");
    let Token::Open(tag) = &all[0] else { panic!("{all:?}") };
    assert_eq!(tag.name, "a");
    assert_eq!(tag.get("href").as_deref(), Some("a&b"));
    assert_eq!(
        (tag.get("title").as_deref(), tag.get("checked").as_deref(), tag.get("none")),
        (Some("c/d"), Some(""), None)
    );
    assert_eq!(all[2], Token::Close("a".to_owned()));
}
