// The firmware versions the server offers, and the image that builds each.
const VERSIONS: &[(&str, &str)] = &[
    ("v0.5.0", "kiisrv-controller-050"),
    ("v0.5.4", "kiisrv-controller-054"),
    ("v0.5.5", "kiisrv-controller-055"),
    ("v0.5.6", "kiisrv-controller-056"),
    ("v0.5.7", "kiisrv-controller-057"),
];

fn main() {
    kiisrv::serve("0.0.0.0:3001", VERSIONS);
}
