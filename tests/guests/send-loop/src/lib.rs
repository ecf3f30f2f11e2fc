//! Sends the same request again after every answer, without end.
//!
//! The limit of requests in one exchange must stop it, or its wall time.

use mortise_sdk::chat::Request;
use mortise_sdk::http::{self, Head};
use mortise_sdk::provider::{Error, Exchange, Info, NoSettings, Out, Provider};

struct Guest;

impl Provider for Guest {
    type Settings = NoSettings;

    fn describe(_: NoSettings) -> Result<Info, Error> {
        Ok(Info { base_url: Some("http://127.0.0.1:9".into()), ..kit::info("Send loop") })
    }

    fn chat(_: Request, _: NoSettings) -> Result<Box<dyn Exchange>, Error> {
        Ok(Box::new(Again))
    }
}

struct Again;

impl Exchange for Again {
    fn begin(&mut self, out: &mut Out) -> Result<(), Error> {
        out.send(http::Request::get("/again"));
        Ok(())
    }

    fn refused(&mut self, _: &Head, _: &[u8], out: &mut Out) -> Result<(), Error> {
        self.begin(out)
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Error> {
        self.begin(out)
    }

    fn broken(&mut self, _: &str, out: &mut Out) -> Result<(), Error> {
        self.begin(out)
    }
}

mortise_sdk::provider!(Guest);
