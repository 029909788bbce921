"""Every address that the desk answers, and the function that does.

A number in the path is written {name}. The function is named `module:function` and looked up when it is
first needed. New addresses go beside those that are about the same thing.
"""

ROUTES = (
    # the desk
    ("GET", "/", "app.desk:welcome"),
    # tools
    ("GET", "/tools", "app.tools:index"),
    ("POST", "/tools", "app.tools:create"),
    ("GET", "/tools/{tool}", "app.tools:show"),
    # members
    ("POST", "/members", "app.members:create"),
    ("GET", "/members/{member}", "app.members:show"),
    ("GET", "/members/{member}/loans", "app.loans:of_member"),
    # loans
    ("GET", "/loans", "app.loans:index"),
    ("POST", "/loans", "app.loans:create"),
    ("POST", "/loans/{loan}/return", "app.loans:give_back"),
)
