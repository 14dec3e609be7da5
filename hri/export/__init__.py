"""What leaves the app.

In reading order; a file imports only those above it:

- tables, offline, script: graphs and tables; a page that plays without a network; the Python that makes a picture
- formats: every export by its ending
"""
