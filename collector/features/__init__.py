"""GeoJSON (RFC 7946) as rows and geometries, whatever somebody sends. Pure; knows nothing of records."""
