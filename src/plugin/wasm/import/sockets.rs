//! Sockets and DNS: there, because languages' runtimes name them, and always refused.

use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::{ip_name_lookup, tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{DynPollable, Network, SocketError, SocketResult, TcpSocket, UdpSocket};

use crate::plugin::wasm::tool::Denials;

/// Refuses, and tells whom it may concern.
pub(super) struct Refuser<'a>(pub(super) &'a Denials);

/// [`Refuser`] as the linker knows it.
pub(super) struct HasRefuser;

impl HasData for HasRefuser {
    type Data<'a> = Refuser<'a>;
}

impl Refuser<'_> {
    fn refuse<T>(&self) -> SocketResult<T> {
        let plugin = self.0.plugin();
        self.0.deny(
            "sockets",
            format!(
                "plugin `{plugin}` wanted a socket or a name looked up, which no plugin has; it reaches hosts by wasi:http, \
                 as plugins.grants.{plugin}.hosts allows"
            ),
        );
        Err(SocketError::from(ErrorCode::AccessDenied))
    }
}

impl network::Host for Refuser<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, _: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(Some(ErrorCode::AccessDenied))
    }
}

impl network::HostNetwork for Refuser<'_> {
    fn drop(&mut self, _: Resource<Network>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl tcp_create_socket::Host for Refuser<'_> {
    fn create_tcp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        self.refuse()
    }
}

impl udp_create_socket::Host for Refuser<'_> {
    async fn create_udp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        self.refuse()
    }
}

impl ip_name_lookup::Host for Refuser<'_> {
    fn resolve_addresses(
        &mut self,
        _: Resource<Network>,
        _: String,
    ) -> SocketResult<Resource<ip_name_lookup::ResolveAddressStream>> {
        self.refuse()
    }
}

impl ip_name_lookup::HostResolveAddressStream for Refuser<'_> {
    fn resolve_next_address(
        &mut self,
        _: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        self.refuse()
    }

    fn subscribe(
        &mut self,
        _: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        wasmtime::bail!("there is no look-up to wait for")
    }

    fn drop(&mut self, _: Resource<ip_name_lookup::ResolveAddressStream>) -> wasmtime::Result<()> {
        Ok(())
    }
}
