"""The dialer's pure parts."""
