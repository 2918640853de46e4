"""What are the regions called?

Requests name a region in any spelling ("southcentralus"), answers always carry its display name ("South Central US";
recorded by azure-cli's tests). Names: MicrosoftDocs/reliability-docs, regions-list.md, 2025-09-23.
"""

from __future__ import annotations

_DISPLAY_NAMES = (
    "Australia Central", "Australia Central 2", "Australia East", "Australia Southeast", "Austria East",
    "Belgium Central", "Brazil South", "Brazil Southeast", "Canada Central", "Canada East", "Central India",
    "Central US", "Chile Central", "Denmark East", "East Asia", "East US", "East US 2", "France Central",
    "France South", "Germany North", "Germany West Central", "India South Central", "Indonesia Central",
    "Israel Central", "Italy North", "Japan East", "Japan West", "Korea Central", "Korea South",
    "Malaysia West", "Mexico Central", "New Zealand North", "North Central US", "North Europe",
    "Norway East", "Norway West", "Poland Central", "Qatar Central", "South Africa North",
    "South Africa West", "South Central US", "South India", "Southeast Asia", "Spain Central",
    "Sweden Central", "Switzerland North", "Switzerland West", "UAE Central", "UAE North", "UK South",
    "UK West", "West Central US", "West Europe", "West India", "West US", "West US 2", "West US 3",
)  # fmt: skip


def name_of(location: str) -> str:
    """The short form: lower case, no spaces."""
    return location.replace(" ", "").lower()


_BY_NAME = {name_of(display): display for display in _DISPLAY_NAMES}


def display_name(location: str) -> str | None:
    """How answers spell the region, or None if there is none of that name."""
    return _BY_NAME.get(name_of(location))
