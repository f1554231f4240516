"""JSON documents of feeds as rows: read within bounds, selected by JMESPath. Pure; knows nothing of records."""
