"""ICMP echo (RFC 792, RFC 4443) over sockets that all targets share."""
