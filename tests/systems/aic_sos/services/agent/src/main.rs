use std::{io::Write, net::TcpListener};

fn main() {
    for stream in TcpListener::bind("0.0.0.0:9001").unwrap().incoming() {
        write!(stream.unwrap(), "HTTP/1.0 200 OK\r\n\r\nok\n").unwrap();
    }
}
