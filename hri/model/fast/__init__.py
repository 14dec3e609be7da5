"""The same arithmetic, faster: it registers with the clear definitions, and tests hold it equal to them."""
